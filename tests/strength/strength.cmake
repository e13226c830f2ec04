# Whether the tests would notice: what they run, and what they say to code that is changed.
if(NOT AT_SANITIZE)
    add_test(NAME strength.coverage COMMAND ${AT_PYTHON} ${tests}/strength/coverage.py)
    add_test(NAME strength.mutation COMMAND ${AT_PYTHON} ${tests}/strength/mutate.py --sample 60)
    set_tests_properties(strength.coverage strength.mutation PROPERTIES SKIP_RETURN_CODE 77
        TIMEOUT 900 LABELS all COST 200 ENVIRONMENT "AT_BUILD=${CMAKE_BINARY_DIR}")
endif()
