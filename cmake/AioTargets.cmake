# The helpers that every CMakeLists.txt of the project is written with.

# aio_flags: an interface target that carries the language level, warnings and instrumentation.
add_library(aio_flags INTERFACE)
target_compile_features(aio_flags INTERFACE c_std_17)
target_compile_definitions(aio_flags INTERFACE _GNU_SOURCE AIO_VERSION="${PROJECT_VERSION}")
target_include_directories(aio_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/lib)
target_compile_options(aio_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla
    -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wswitch-enum -fno-common
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
    # clang takes a variable that is only cleaned up for an unused one; gcc finds those that are.
    $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral;-Wno-unused-variable>
    $<$<BOOL:${AIO_WERROR}>:-Werror>)
if(AIO_SANITIZE)
    target_compile_options(aio_flags INTERFACE -fsanitize=${AIO_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(aio_flags INTERFACE -fsanitize=${AIO_SANITIZE})
endif()
if(AIO_FUZZ)
    target_compile_options(aio_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(AIO_COVERAGE)
    target_compile_options(aio_flags INTERFACE --coverage)
    target_link_options(aio_flags INTERFACE --coverage)
endif()

# Every program lands in build/<preset>/bin, so that they find each other and a person finds them.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# Sources are files, or patterns for a folder whose every file belongs to the target.
function(aio_sources out)
    set(sources)
    foreach(source ${ARGN})
        if(source MATCHES "[*]")
            file(GLOB source CONFIGURE_DEPENDS ${source})
        endif()
        list(APPEND sources ${source})
    endforeach()
    set(${out} ${sources} PARENT_SCOPE)
endfunction()

# aio_library(NAME SOURCES ... DEPS ...): a static library named NAME.
function(aio_library name)
    cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
    aio_sources(A_SOURCES ${A_SOURCES})
    add_library(${name} STATIC ${A_SOURCES})
    target_link_libraries(${name} PUBLIC aio_flags ${A_DEPS})
endfunction()

# What a person runs, without the tests: cmake --build --preset release --target programs
add_custom_target(programs)

# aio_program(NAME SOURCES ... DEPS ...): a program named NAME.
function(aio_program name)
    cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
    aio_sources(A_SOURCES ${A_SOURCES})
    add_executable(${name} ${A_SOURCES})
    target_link_libraries(${name} PRIVATE aio_flags ${A_DEPS})
    install(TARGETS ${name} RUNTIME)
    add_dependencies(programs ${name})
endfunction()

# aio_service(NAME SOURCES ... DEPS ...): library NAME, plus program aiopslab-NAME from main.c.
function(aio_service name)
    aio_library(${name} ${ARGN})
    aio_program(aiopslab-${name} SOURCES main.c DEPS ${name})
endfunction()

# aio_test(NAME LABEL unit|integration|e2e SOURCES ... DEPS ...): one cmocka program, one ctest entry.
function(aio_test name)
    cmake_parse_arguments(A "" "LABEL" "SOURCES;DEPS" ${ARGN})
    aio_sources(A_SOURCES ${A_SOURCES})
    add_executable(${name} ${A_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${A_DEPS} PkgConfig::CMOCKA)
    add_test(NAME ${A_LABEL}.${name} COMMAND ${name})
    set_tests_properties(${A_LABEL}.${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT 60 ENVIRONMENT
        "AIOPSLAB_BIN=${PROJECT_BINARY_DIR}/bin;AIOPSLAB_SRC=${PROJECT_SOURCE_DIR};TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
endfunction()

# aio_fuzz(NAME SOURCES ... DEPS ...): libFuzzer for some seconds under the fuzz preset, on top of the
# corpus in tests/fuzz/corpus/NAME; else replays that corpus.
function(aio_fuzz name)
    cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
    set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    add_executable(${name} ${A_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${A_DEPS})
    if(AIO_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set(found ${PROJECT_BINARY_DIR}/fuzz/${name})
        file(MAKE_DIRECTORY ${found})
        add_test(NAME fuzz.${name} COMMAND ${name} -max_total_time=${AIO_FUZZ_SECONDS}
            -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 ${found} ${corpus})
    else()
        target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz.${name} COMMAND ${name} ${corpus})
    endif()
    set_tests_properties(fuzz.${name} PROPERTIES LABELS "unit;fuzz")
endfunction()

# aio_bench(NAME SOURCES ... DEPS ...): a benchmark under tests/bench, built but never a test.
function(aio_bench name)
    cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
    aio_sources(A_SOURCES ${A_SOURCES})
    add_executable(${name} ${A_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_link_libraries(${name} PRIVATE aio_flags ${A_DEPS})
endfunction()
