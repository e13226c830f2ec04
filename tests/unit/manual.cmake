# What people read of a spec, beside its descriptors: of both modules.
at_test(manual ${tests}/unit/test_manual.c LIBS bc26)
at_test(second_manual ${tests}/unit/test_manual.c LIBS tide)
target_compile_definitions(test_second_manual PRIVATE
    MODULE_HEADER="tide.h" MODULE=tide MANUAL=tide_manual)
