# SPDX-License-Identifier: Apache-2.0
# What an installation consists of, and the Debian package of it (make deb). CPack writes the package: its dependencies
# are what dpkg-shlibdeps finds in the binary, its version is the project's.

set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # a package needs the binary, not every test

# The manual page is what the binary says of itself.
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/collect.1.gz
                   COMMAND sh -c "\"$<TARGET_FILE:collect>\" man | gzip -9 -n > collect.1.gz"
                   WORKING_DIRECTORY ${PROJECT_BINARY_DIR} DEPENDS collect VERBATIM)
add_custom_target(man_page ALL DEPENDS ${PROJECT_BINARY_DIR}/collect.1.gz)

# The places are Debian's and absolute for the package only; all others are below the prefix.
set(packaging ${PROJECT_SOURCE_DIR}/packaging)
set(doc share/doc/collect)
install(TARGETS collect RUNTIME DESTINATION bin)
install(FILES ${PROJECT_BINARY_DIR}/collect.1.gz DESTINATION share/man/man1)
install(FILES ${packaging}/collect.env DESTINATION /etc/collect PERMISSIONS OWNER_READ OWNER_WRITE)
install(FILES ${PROJECT_SOURCE_DIR}/config/config.yml DESTINATION /etc/collect)
install(FILES ${packaging}/collect.service DESTINATION /lib/systemd/system)
install(FILES ${packaging}/copyright ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${doc})
# nginx, Prometheus' rules, the dashboard.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/contrib/ DESTINATION ${doc}/examples)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${doc} FILES_MATCHING PATTERN "*.md"
        PATTERN decisions EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME collect)
set(CPACK_PACKAGE_CONTACT "The authors of Collect <collect@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "receives what a fleet of appliances reports, and tells what changed")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Inventories, heartbeats and backups of NethServer 8 clusters and NethSecurity
firewalls: kept, compared, told. Runs on its own (SQLite and a folder) or on
PostgreSQL, Redis and S3. Needs a processor of x86-64-v2 with carry-less
multiplication (any of the last ten years).")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nginx, postgresql, redis-server, sqlite3")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/conffiles ${packaging}/postinst ${packaging}/prerm
    ${packaging}/postrm)
include(CPack)
