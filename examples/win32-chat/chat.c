/*
 * A chat window: what is typed goes to a WebSocket server, what comes back goes into the list.
 *
 * The callback runs on the window's own thread, inside its message loop, so that it may touch the controls as it
 * likes. Nothing has to be called for that: the first asynchronous connect on a thread with a message queue sees to it.
 * When the server goes away the library tries again by itself; the window stays usable.
 *
 *   chat [ws://127.0.0.1:9001/]
 *
 *   x86_64-w64-mingw32-gcc -municode -mwindows -I../../include chat.c -o chat.exe -L. -lwdsocket64
 */
#ifndef UNICODE
#define UNICODE
#endif
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

#include "wdsocket.h"

enum { URL = 101, CONNECT, LIST, TEXT, SEND };
enum { MARGIN = 8, LINE = 26, BUTTON = 90 };

static HWND window;

/* A line at the end of the list. */
static void show(const wchar_t *format, ...)
{
    wchar_t line[1024];
    va_list arguments;
    va_start(arguments, format);
    _vsnwprintf(line, sizeof line / sizeof *line - 1, format, arguments);
    va_end(arguments);
    line[sizeof line / sizeof *line - 1] = 0;
    HWND list = GetDlgItem(window, LIST);
    int last = (int)SendMessageW(list, LB_ADDSTRING, 0, (LPARAM)line);
    SendMessageW(list, LB_SETTOPINDEX, (WPARAM)last, 0);
}

static void WDSOCKET_CALL on_event(int32_t event, const wchar_t *message, size_t length, const wchar_t *name,
                                   void *user_data)
{
    (void)user_data;
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        show(L"* connected");
        break;
    case WDSOCKET_EVENT_MESSAGE:
        if (SocketMessageTypeW(name) == WDSOCKET_MESSAGE_TEXT) show(L"< %ls", message);
        else show(L"< %u bytes", (unsigned)length);
        break;
    case WDSOCKET_EVENT_ERROR:
        show(L"! %ls", SocketErrorMessageW());
        break;
    case WDSOCKET_EVENT_CLOSING:
        show(L"* closed (%ls), trying again", message);
        break;
    }
}

static void connect_to_url(void)
{
    wchar_t url[512];
    GetDlgItemTextW(window, URL, url, sizeof url / sizeof *url);
    SocketCloseW(L"chat");
    SocketSetOptionW(L"chat", WDSOCKET_OPTION_RECONNECT_MIN_MS, L"200");
    SocketSetOptionW(L"chat", WDSOCKET_OPTION_RECONNECT_MAX_MS, L"2000");
    if (!SocketConnectW(L"chat", url, on_event, NULL, NULL)) show(L"! %ls", SocketErrorMessageW());
}

static void send_text(void)
{
    wchar_t text[512];
    if (GetDlgItemTextW(window, TEXT, text, sizeof text / sizeof *text) == 0) return;
    if (SocketWriteW(L"chat", text, -1)) {
        show(L"> %ls", text);
        SetDlgItemTextW(window, TEXT, L"");
    } else {
        show(L"! %ls", SocketErrorMessageW());
    }
}

static void place(int id, int x, int y, int width, int height)
{
    MoveWindow(GetDlgItem(window, id), x, y, width, height, TRUE);
}

static void arrange(int width, int height)
{
    int right = width - MARGIN - BUTTON, bottom = height - MARGIN - LINE;
    place(URL, MARGIN, MARGIN, right - 2 * MARGIN, LINE);
    place(CONNECT, right, MARGIN, BUTTON, LINE);
    place(LIST, MARGIN, LINE + 2 * MARGIN, width - 2 * MARGIN, bottom - LINE - 3 * MARGIN);
    place(TEXT, MARGIN, bottom, right - 2 * MARGIN, LINE);
    place(SEND, right, bottom, BUTTON, LINE);
}

static void add(const wchar_t *class, const wchar_t *text, DWORD style, int id)
{
    HWND control = CreateWindowExW(wcscmp(class, L"BUTTON") == 0 ? 0 : WS_EX_CLIENTEDGE, class, text,
                                   WS_CHILD | WS_VISIBLE | WS_TABSTOP | style, 0, 0, 0, 0, window,
                                   (HMENU)(INT_PTR)id, GetModuleHandleW(NULL), NULL);
    SendMessageW(control, WM_SETFONT, (WPARAM)GetStockObject(DEFAULT_GUI_FONT), TRUE);
}

static LRESULT CALLBACK procedure(HWND handle, UINT message, WPARAM wparam, LPARAM lparam)
{
    switch (message) {
    case WM_CREATE:
        window = handle;
        add(L"EDIT", L"", ES_AUTOHSCROLL, URL);
        add(L"BUTTON", L"Connect", 0, CONNECT);
        add(L"LISTBOX", L"", WS_VSCROLL | LBS_NOINTEGRALHEIGHT, LIST);
        add(L"EDIT", L"", ES_AUTOHSCROLL, TEXT);
        add(L"BUTTON", L"Send", BS_DEFPUSHBUTTON, SEND);
        return 0;
    case WM_SIZE:
        arrange(LOWORD(lparam), HIWORD(lparam));
        return 0;
    case WM_COMMAND:
        if (LOWORD(wparam) == CONNECT) connect_to_url();
        if (LOWORD(wparam) == SEND || LOWORD(wparam) == IDOK) send_text();
        return 0;
    case WM_DESTROY:
        /* What is still queued is sent, for at most 2 s. */
        SocketShutdown(2000);
        PostQuitMessage(0);
        return 0;
    }
    return DefWindowProcW(handle, message, wparam, lparam);
}

int WINAPI wWinMain(HINSTANCE instance, HINSTANCE previous, PWSTR arguments, int mode)
{
    (void)previous;
    WNDCLASSW class = {.lpfnWndProc = procedure, .hInstance = instance, .lpszClassName = L"wdsocket chat",
                       .hCursor = LoadCursorW(NULL, (LPCWSTR)IDC_ARROW), .hbrBackground = (HBRUSH)(COLOR_BTNFACE + 1)};
    RegisterClassW(&class);
    if (!CreateWindowExW(0, class.lpszClassName, L"wdsocket chat", WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, CW_USEDEFAULT, 560,
                         380, NULL, NULL, instance, NULL))
        return 1;
    ShowWindow(window, mode);
    SetDlgItemTextW(window, URL, arguments[0] ? arguments : L"ws://127.0.0.1:9001/");
    SetFocus(GetDlgItem(window, TEXT));
    if (arguments[0]) connect_to_url();

    MSG message;
    while (GetMessageW(&message, NULL, 0, 0) > 0) {
        if (IsDialogMessageW(window, &message)) continue; /* Tab and Enter */
        TranslateMessage(&message);
        DispatchMessageW(&message);
    }
    return (int)message.wParam;
}
