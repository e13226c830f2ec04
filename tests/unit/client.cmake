at_test(client ${tests}/unit/test_client.c LIBS bc26)
