# The table of heads beside the head machine, under another name.
at_test(heads ${tests}/unit/test_heads.c ${CMAKE_BINARY_DIR}/generated/bc26/bc26_heads.c LIBS bc26)
set_source_files_properties(${CMAKE_BINARY_DIR}/generated/bc26/bc26_heads.c PROPERTIES
    COMPILE_DEFINITIONS bc26_head=bc26_head_by_table)
add_dependencies(test_heads atspec_bc26_generated)
