# Which programs there are, and what some of them need beyond the library.

# connecting
add(connecting)
add(urls)
add(subprotocol)
add(connecting_again)
add(connect_timeout)
add(handshake)
add(redirects)
add(headers)

# events
add(events)
add(inside_callbacks)
add(hanging_callback)
add(closing_codes)
add(dispatch)
add(sync)
add(wakeup)

# reading and writing
add(reading)
add(readers)
add(message_type)
add(writing)
add(writers)
add(send_queue)
add(fragments)
add(backpressure TIMEOUT 240)
add(busy_host)
add(keepalive)
add(slow_links)
add(hostile_server)
add(strictness)

# compression
add(compression_offer)
add(compression_answer)
add(compression)
add(compression_context)
add(compression_frames)
add(compression_bombs TIMEOUT 240)
add(compression_memory TIMEOUT 240)
add(compression_threads TIMEOUT 240)
add(compression_queue)

# closing, looking, options, errors
add(closing)
add(close_with)
add(closing_handshake)
add(ending)
add(state)
add(info)
add(options)
add(encodings)
add(errors)
add(log)
add(log_flood)
add(shutdown)
add(french_names)
add(bad_input)
add(stress TIMEOUT 240)

# The header alone: warnings are errors.
add_executable(header_c11 header_c11.c)
target_compile_options(header_c11 PRIVATE -Wstrict-prototypes -Wundef -Wconversion)
target_link_libraries(header_c11 PRIVATE wdsocket)
add_test(NAME header_c11 COMMAND header_c11)
add_executable(header_cpp17 header_cpp17.cpp)
target_compile_options(header_cpp17 PRIVATE -Wundef -Wconversion -Wold-style-cast -Wzero-as-null-pointer-constant)
target_link_libraries(header_cpp17 PRIVATE wdsocket)
add_test(NAME header_cpp17 COMMAND header_cpp17)

if(WDSOCKET_STATIC_LIBRARY AND EXISTS ${WDSOCKET_STATIC_LIBRARY})
  add_library(wdsocket-static STATIC IMPORTED)
  set_target_properties(wdsocket-static PROPERTIES IMPORTED_LOCATION ${WDSOCKET_STATIC_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${WDSOCKET_INCLUDE_DIR})
  if(WIN32)
    target_link_libraries(wdsocket-static INTERFACE ws2_32 ntdll userenv bcrypt)
  else()
    target_link_libraries(wdsocket-static INTERFACE pthread dl m)
  endif()
  add(static_library LIBRARY wdsocket-static)
else()
  message(STATUS "no static library: static_library is left out")
endif()

# What only Windows has: UTF-16, message loops, events, DLLs, stdcall.
if(WIN32)
  add(wide)
  foreach(name message_loop automatic_attachment post_to_window dispatch_event exit_process calling_convention)
    add(${name} TIMEOUT 300)
    target_sources(${name} PRIVATE windows_testing.c)
  endforeach()

  if(WDSOCKET_DLL)
    # Loads the library itself, from where Windows looks for DLLs, so it is not linked with it.
    add_executable(load_unload load_unload.c)
    target_include_directories(load_unload PRIVATE ${WDSOCKET_INCLUDE_DIR})
    get_filename_component(dll ${WDSOCKET_DLL} NAME)
    run(load_unload 300 $<TARGET_FILE:load_unload> ${dll})

    find_package(Python3 COMPONENTS Interpreter)
    if(Python3_FOUND AND MINGW)
      add_test(NAME pe COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/pe.py ${WDSOCKET_DLL}
                               ${WDSOCKET_INCLUDE_DIR}/wdsocket.h ${repository}/Cargo.toml ${CMAKE_C_COMPILER})
    else()
      message(STATUS "no Python or no MinGW: pe is left out")
    endif()
  else()
    message(STATUS "no WDSOCKET_DLL: load_unload and pe are left out")
  endif()
endif()

# What only POSIX systems have. In brackets what takes its place on Windows, or why nothing does:
#   dispatch_handle         poll on a descriptor (dispatch_event)
#   process_exit            posix_spawn, _exit (exit_process)
#   thread_exit             destructors of thread-specific data (exit_process: threads_that_ended)
#   load_around_every_call  dlopen (load_unload)
#   exports                 ELF (pe)
#   fork, sigpipe           (Windows has neither)
#   signal_mask             (no signals)
#   unix_socket             (such an address is UNSUPPORTED there)
#   happy_eyeballs          a getaddrinfo of its own in place of the system's, which a DLL's imports do not allow (the
#                           order of attempts is the same code)
#   reconnecting            the same, and relay.c with poll and POSIX sockets (the same code, nothing of Windows in it)
if(UNIX)
  add(dispatch_handle)
  add(fork)
  add(sigpipe)
  add(process_exit)
  add(thread_exit)
  add(unix_socket)
  target_sources(unix_socket PRIVATE relay.c)

  # Their own getaddrinfo takes the place of the system's, the library's calls included.
  foreach(resolver happy_eyeballs signal_mask)
    add_executable(${resolver} ${resolver}.c testing.c)
    target_link_libraries(${resolver} PRIVATE wdsocket Threads::Threads)
    set_target_properties(${resolver} PROPERTIES ENABLE_EXPORTS ON)
    add_test(NAME ${resolver} COMMAND ${WDSOCKET_TEST_SERVER} --run $<TARGET_FILE:${resolver}>)
    set_tests_properties(${resolver} PROPERTIES TIMEOUT 120)
  endforeach()

  # Its own getaddrinfo as well, and a relay.
  add(reconnecting)
  target_sources(reconnecting PRIVATE relay.c)
  set_target_properties(reconnecting PROPERTIES ENABLE_EXPORTS ON)

  # Loads the library itself, so it is not linked with it.
  add_executable(load_around_every_call load_around_every_call.c)
  target_include_directories(load_around_every_call PRIVATE ${WDSOCKET_INCLUDE_DIR})
  target_link_libraries(load_around_every_call PRIVATE ${CMAKE_DL_LIBS})
  run(load_around_every_call 60 $<TARGET_FILE:load_around_every_call> ${WDSOCKET_LIBRARY})

  find_package(Python3 COMPONENTS Interpreter)
  if(Python3_FOUND)
    add_test(NAME exports COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/exports.py
                                  ${WDSOCKET_LIBRARY} ${WDSOCKET_INCLUDE_DIR}/wdsocket.h)
  else()
    message(STATUS "no Python: exports is left out")
  endif()
endif()
