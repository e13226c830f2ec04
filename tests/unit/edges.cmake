# The runtime's own functions, at the ends of their ranges.
at_test(edges ${tests}/unit/test_edges.c LIBS at_runtime)
target_include_directories(test_edges PRIVATE ${PROJECT_SOURCE_DIR}/src/runtime)
