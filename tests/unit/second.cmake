# The second real module: the BG95, which only its YAML knows. Round trips over every
# form and line, the spec's own examples, its manual, and transcripts of what it sends.
set(bg95 MODULE_HEADER="bg95_module.h" MODULE=bg95 MODULE_GRAMMAR=bg95_grammar)

atspec_generate(TARGET bg95 SPEC spec/quectel/bg95-tcpip.yaml MODULE)
at_examples(bg95 spec/quectel/bg95-tcpip.yaml)
at_test(bg95_roundtrip ${tests}/unit/test_roundtrip.c ${tests}/unit/members.c LIBS bg95_module)
target_compile_definitions(test_bg95_roundtrip PRIVATE AT_COVERS_NOTHING ${bg95})
target_compile_definitions(test_bg95_examples PRIVATE AT_COVERS_NOTHING)
at_test(bg95_manual ${tests}/unit/test_manual.c LIBS bg95)
target_compile_definitions(test_bg95_manual PRIVATE
    MODULE_HEADER="bg95.h" MODULE=bg95 MANUAL=bg95_manual)
