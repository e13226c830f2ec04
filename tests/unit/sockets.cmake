# The sockets API against a scripted module.
add_library(embed_sockets OBJECT ${tests}/embed/sockets.c)
target_link_libraries(embed_sockets PRIVATE bc26_sockets at_warnings)
at_test(sockets ${tests}/unit/test_sockets.c LIBS bc26_sockets)
