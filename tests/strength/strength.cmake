# Whether the tests would notice: what they run, and what they say of code that is changed. The latter
# needs both builds, and this one is the last.
if(AT_SANITIZE)
    add_test(NAME strength.mutation COMMAND ${AT_PYTHON} ${tests}/strength/mutate.py --sample 60)
    set_tests_properties(strength.mutation PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 LABELS all COST 200)
else()
    add_test(NAME strength.coverage COMMAND ${AT_PYTHON} ${tests}/strength/coverage.py)
    set_tests_properties(strength.coverage PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 LABELS all COST 200)
endif()
