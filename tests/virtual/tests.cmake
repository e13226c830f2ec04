at_test(net ${tests}/virtual/test_net.c LIBS bc26_virtual)
at_test(posix ${tests}/virtual/test_posix.c LIBS at_posix)
at_test(virtual ${tests}/virtual/test_virtual.c LIBS bc26_virtual)
at_test(fault ${tests}/virtual/test_fault.c LIBS bc26_virtual)
