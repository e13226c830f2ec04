# What older firmware has, generated for it: the round trips and the examples that
# it has. The bindings of its own are all in what is generated for none.
at_test(firmware ${tests}/unit/test_firmware.c LIBS bc26)

# at_view(NAME [FIRMWARE name] [OVERLAYS file...]): a view or an overlay of the BC26's spec.
function(at_view name)
    set(spec spec/quectel/bc26-tcpip.yaml)
    atspec_generate(TARGET ${name} SPEC ${spec} MODULE ${ARGN})
    at_examples(${name} ${spec} ${ARGN})
    at_test(${name}_roundtrip ${tests}/unit/test_roundtrip.c ${tests}/unit/members.c LIBS ${name}_module)
    foreach(test ${name}_examples ${name}_roundtrip)
        target_compile_definitions(test_${test} PRIVATE AT_COVERS_NOTHING)
    endforeach()
endfunction()

at_view(bc26_v10 FIRMWARE V1.0)
at_view(bc26_v11 FIRMWARE V1.1)
at_view(bc26_a06 FIRMWARE BC26NBR01A06)
at_view(bc20_a08 FIRMWARE BC20NBR01A08)
at_view(bc26_no_data_mode OVERLAYS spec/quectel/overlays/no-data-mode.yaml)

# One program as any of them: the module's side.
atspec_generate(TARGET dated SPEC tests/generator/second/dated.yaml MODULE)
at_test(grammar ${tests}/unit/test_grammar.c LIBS dated_module)
