/*
 * Drives the chat window as a user would, from another process, and looks at what its list shows.
 *
 *   drive send TEXT       types it and presses Send
 *   drive expect LINE N   waits until the list has the line N times, at most 20 s
 *   drive quit            closes the window
 */
#ifndef UNICODE
#define UNICODE
#endif
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { LIST = 103, TEXT, SEND, PATIENCE_MS = 20000 };

static HWND find(void)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 50) {
        HWND window = FindWindowW(L"wdsocket chat", NULL);
        if (window && IsWindowVisible(window)) return window;
        Sleep(50);
    }
    fprintf(stderr, "there is no window\n");
    exit(1);
}

static int count(HWND list, const wchar_t *wanted, int print)
{
    int found = 0, lines = (int)SendMessageW(list, LB_GETCOUNT, 0, 0);
    for (int i = 0; i < lines; i++) {
        wchar_t line[1024];
        if (SendMessageW(list, LB_GETTEXTLEN, (WPARAM)i, 0) >= 1024) continue;
        SendMessageW(list, LB_GETTEXT, (WPARAM)i, (LPARAM)line);
        found += wcscmp(line, wanted) == 0;
        if (print) fprintf(stderr, "  %ls\n", line);
    }
    return found;
}

int wmain(int argc, wchar_t **argv)
{
    HWND window = find();
    if (argc == 3 && wcscmp(argv[1], L"send") == 0) {
        SendMessageW(GetDlgItem(window, TEXT), WM_SETTEXT, 0, (LPARAM)argv[2]);
        SendMessageW(GetDlgItem(window, SEND), BM_CLICK, 0, 0);
        return 0;
    }
    if (argc == 4 && wcscmp(argv[1], L"expect") == 0) {
        for (int waited = 0; waited < PATIENCE_MS; waited += 20) {
            if (count(GetDlgItem(window, LIST), argv[2], 0) >= _wtoi(argv[3])) return 0;
            Sleep(20);
        }
        fprintf(stderr, "the list does not have this %ls times: %ls\nIt has:\n", argv[3], argv[2]);
        count(GetDlgItem(window, LIST), argv[2], 1);
        return 1;
    }
    if (argc == 2 && wcscmp(argv[1], L"quit") == 0) {
        PostMessageW(window, WM_CLOSE, 0, 0);
        return 0;
    }
    fprintf(stderr, "usage: drive send TEXT | expect LINE N | quit\n");
    return 2;
}
