# at_tool_over(NAME MODULE library): the tool, called NAME, over another module than the BC26 that
# is shipped. What is generated of a MODULE begins with its name.
function(at_tool_over name module library)
    add_executable(${name}_program ${tests}/cli/tool.c)
    set_target_properties(${name}_program PROPERTIES OUTPUT_NAME ${name})
    target_compile_definitions(${name}_program PRIVATE NAME="${name}" MODULE_HEADER="${module}_module.h"
        MODULE=${module} GRAMMAR=${module}_grammar MANUAL=${module}_manual)
    target_link_libraries(${name}_program PRIVATE at_tool ${library} at_warnings)
endfunction()

# A module that no one sells, which only its YAML knows.
at_tool_over(tide tide tide_module)

# What `probe` wrote: with each overlay applied there is no difference left.
foreach(overlay V1.0 BC26NBR01A06 altered)
    string(MAKE_C_IDENTIFIER drift_${overlay} drift)
    string(TOLOWER ${drift} drift)
    atspec_generate(TARGET ${drift} SPEC spec/quectel/bc26-tcpip.yaml MODULE
        OVERLAYS ${tests}/cli/drift/${overlay}.yaml)
    at_tool_over(${drift} bc26 ${drift}_module)
endforeach()
