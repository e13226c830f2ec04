# The typed functions of the generated header.
at_test(calls ${tests}/unit/test_calls.c ${tests}/unit/members.c LIBS bc26)
