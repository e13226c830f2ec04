# What an installation has: find_package(atspec) and pkg-config find the libraries, and
# atspec_generate the generator.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/atspec)
set(share ${CMAKE_INSTALL_DATADIR}/atspec)
set(public ${CMAKE_INSTALL_INCLUDEDIR}/atspec)

install(TARGETS atspec_runtime atspec_bc26 atspec_bc26_module atspec_bc26_sockets EXPORT atspec
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${public})
install(EXPORT atspec NAMESPACE atspec:: FILE atspecTargets.cmake DESTINATION ${package})
install(DIRECTORY include/at DESTINATION ${public})
install(FILES ${generated}/bc26/bc26.h ${generated}/bc26/bc26_module.h
    ${generated}/sockets/bc26_sockets.h DESTINATION ${public})
install(DIRECTORY gen spec DESTINATION ${share} PATTERN __pycache__ EXCLUDE)
install(FILES LICENSE DESTINATION ${share})

configure_package_config_file(src/install/atspecConfig.cmake.in ${generated}/install/atspecConfig.cmake
    INSTALL_DESTINATION ${package} PATH_VARS share)
write_basic_package_version_file(${generated}/install/atspecConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/install/atspecConfig.cmake
    ${generated}/install/atspecConfigVersion.cmake DESTINATION ${package})

# atspec_pc(NAME REQUIRES text...)
function(atspec_pc name requires)
    string(JOIN " " description ${ARGN})
    file(RELATIVE_PATH prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    configure_file(src/install/library.pc.in ${generated}/install/${name}.pc @ONLY)
    install(FILES ${generated}/install/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

atspec_pc(atspec "" Runtime of the AT protocol layer)
atspec_pc(bc26 atspec Quectel BC26, host's side)
atspec_pc(bc26_module bc26 Quectel BC26, module's side)
atspec_pc(bc26_sockets bc26 Sockets over a Quectel BC26)
