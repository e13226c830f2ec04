# Both directions of a channel as people and as machines read them.
at_test(trace ${tests}/unit/test_trace.c LIBS bc26_module at_tool)
