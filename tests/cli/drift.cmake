# The tool over what `probe` wrote: with each overlay applied there is no difference left.
foreach(overlay V1.0 BC26NBR01A06 altered)
    string(MAKE_C_IDENTIFIER drift_${overlay} drift)
    string(TOLOWER ${drift} drift)
    atspec_generate(TARGET ${drift} SPEC spec/quectel/bc26-tcpip.yaml MODULE
        OVERLAYS ${tests}/cli/drift/${overlay}.yaml)
    add_executable(${drift}_program ${tests}/cli/drift/main.c)
    set_target_properties(${drift}_program PROPERTIES OUTPUT_NAME ${drift})
    target_link_libraries(${drift}_program PRIVATE at_tool ${drift}_module at_warnings)
endforeach()
