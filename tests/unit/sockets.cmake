# The sockets API against a scripted module.
at_test(sockets ${tests}/unit/test_sockets.c LIBS bc26_sockets)
