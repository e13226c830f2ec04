# The tool over a second module, which only its YAML knows.
add_executable(tide_program ${tests}/cli/second/main.c)
set_target_properties(tide_program PROPERTIES OUTPUT_NAME tide)
target_link_libraries(tide_program PRIVATE at_tool tide_module at_warnings)
