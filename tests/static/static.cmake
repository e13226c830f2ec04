# Analysis without running anything. Once, of what the default preset compiles.
if(NOT AT_SANITIZE)
    foreach(tool gcc clang-tidy cppcheck mypy flake8)
        add_test(NAME static.${tool} COMMAND ${AT_PYTHON} ${tests}/static/check.py ${tool})
    endforeach()
    add_test(NAME static.loops COMMAND ${AT_PYTHON} ${tests}/static/loops.py)
    add_test(NAME static.recursion COMMAND ${AT_PYTHON} ${tests}/static/recursion.py)
    foreach(check gcc clang-tidy cppcheck mypy flake8 loops recursion)
        set_tests_properties(static.${check} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS all
            ENVIRONMENT "AT_BUILD=${CMAKE_BINARY_DIR}")
    endforeach()
    set_tests_properties(static.clang-tidy PROPERTIES COST 100)
endif()
