# The sockets API through the virtual module, with real peers on loopback.
at_test(sockets_virtual ${tests}/virtual/test_sockets_virtual.c LIBS bc26_sockets bc26_virtual)
