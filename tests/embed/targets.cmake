# Code for other machines: skipped, with the reason, where a compiler or QEMU is missing, and not
# built with sanitizers. at_target_test(NAME CASES): of a file of tests here, a class or one test.
function(at_target_test name cases)
    if(NOT AT_SANITIZE)
        add_test(NAME ${name} COMMAND ${AT_PYTHON} ${tests}/cli/run.py ${cases}
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS all ENVIRONMENT
            "PYTHONPATH=${tests}/embed;AT_BUILD=${CMAKE_BINARY_DIR};BC26=$<TARGET_FILE:bc26_program>")
    endif()
endfunction()

at_target_test(targets.firmware_ring test_firmware.Ring)
at_target_test(targets.firmware_window test_firmware.Window)
foreach(target host mips arm cortex_m0 cortex_m3 cortex_m4 riscv32 avr)
    at_target_test(targets.${target} test_targets.Logs.test_${target})
endforeach()
at_target_test(targets.mips_programs test_targets.Programs.test_mips)
at_target_test(targets.arm_programs test_targets.Programs.test_arm)
