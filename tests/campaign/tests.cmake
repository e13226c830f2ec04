# The virtual module on a made-up network, behind a faulty line, in virtual time.
file(GLOB campaign_module CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/bc26/virtual*.c
    ${PROJECT_SOURCE_DIR}/src/bc26/fault*.c)
add_library(campaign_rig STATIC ${campaign_module} ${tests}/campaign/network.c
    ${tests}/campaign/rig.c ${tests}/campaign/witness.c ${tests}/campaign/hostile.c
    ${tests}/unit/members.c)
target_include_directories(campaign_rig PUBLIC ${tests} ${tests}/campaign
    ${PROJECT_SOURCE_DIR}/src/bc26)
target_compile_definitions(campaign_rig PRIVATE _GNU_SOURCE)
target_link_libraries(campaign_rig PUBLIC bc26_module at_posix PRIVATE at_warnings)

# at_campaign(NAME ARGUMENT...): a program of counts, and a small one as a test.
function(at_campaign name)
    add_executable(${name} ${tests}/campaign/${name}.c)
    target_link_libraries(${name} PRIVATE campaign_rig at_warnings)
    add_test(NAME ${name} COMMAND ${name} ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

at_campaign(campaign --count 3000)
at_campaign(injection --arguments 5000 --payloads 10000)
