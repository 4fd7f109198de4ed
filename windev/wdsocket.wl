// wdsocket.wl: the WebSocket functions of wdsocket64.dll and wdsocket32.dll for WinDev programs.
// Les fonctions WebSocket de wdsocket64.dll et wdsocket32.dll pour les programmes WinDev : voir LISEZMOI.md.
//
// Every procedure begins with wds, so that none collides with the WLanguage function of the same name: what the
// documentation calls SocketWrite is wdsSocketWrite here, SocketEcrit is wdsSocketEcrit. The names after that,
// the order of the parameters and their defaults are the documented ones.
//
// PART 1 belongs into the declarations of a set of procedures (or, included with EXTERNAL, into the project's
// initialization code), PART 2 into the set itself. README.md has the steps.
//
// WinDev was not available where this was written: nothing here has been compiled by it. check.py compares every
// API() call and every constant with wdsocket.h, and calls.c makes the same calls in C. "To be checked" in README.md
// lists what only WinDev can tell.
//
// Rules that the API() calls keep, because API() converts nothing:
// - A 32-bit integer of C is an int here. What is as wide as a pointer (addresses, lengths, capacities, results) is
//   a system int: 4 bytes in a 32-bit program, 8 in a 64-bit one.
// - No string is passed: whether API() hands over ANSI or UTF-16 depends on the project. Text goes through Buffers
//   that hold UTF-8 and a final zero, by address. Variables: p... is an address, buf... a Buffer, n... a number.
// - API() calls cdecl functions, which these are. The callback is called as stdcall in 32-bit programs: its five
//   parameters must stay five.

// ==================================================================================================================
// PART 1: DECLARATIONS
// ==================================================================================================================

CONSTANT
	// The events of a callback, in both languages: the first parameter of your procedure.
	wdsSocketOpening = 1        // connected; messages can be sent
	wdsSocketMessage = 2        // a message: the second parameter is its data
	wdsSocketClosing = 3        // the connection has ended: the second parameter is the close code
	wdsSocketError = 4          // something failed: the second parameter is empty, wdsSocketErrorMessage() says what
	wdsSocketWritable = 5       // after a write failed for want of room: there is room again
	wdsSocketOuverture = 1
	wdsSocketFermeture = 3
	wdsSocketErreur = 4
	wdsSocketPret = 5

	// For the parameter "ssl options", in both languages. 1.0 and 1.1 are accepted beside the others, never used.
	wdsProtocolTLS1 = 4
	wdsProtocolTLS1_1 = 8
	wdsProtocolTLS1_2 = 16
	wdsProtocolTLS1_3 = 32
	wdsProtocoleTLS1 = 4
	wdsProtocoleTLS1_1 = 8
	wdsProtocoleTLS1_2 = 16
	wdsProtocoleTLS1_3 = 32

	// From here on the names of wdsocket.h with wds instead of WDSOCKET_.
	// Events
	wdsEVENT_OPENING = 1
	wdsEVENT_MESSAGE = 2
	wdsEVENT_CLOSING = 3
	wdsEVENT_ERROR = 4
	wdsEVENT_WRITABLE = 5

	// States: wdsSocketState
	wdsSTATE_NONE = 0
	wdsSTATE_CONNECTING = 1
	wdsSTATE_OPEN = 2
	wdsSTATE_CLOSING = 3
	wdsSTATE_CLOSED = 4

	// Kinds of messages: wdsSocketMessageType
	wdsMESSAGE_TEXT = 1
	wdsMESSAGE_BINARY = 2

	// Options: wdsSocketSetOption
	wdsOPTION_HEADER = 1
	wdsOPTION_ORIGIN = 2
	wdsOPTION_USER_AGENT = 3
	wdsOPTION_SUBPROTOCOL_REQUIRED = 4
	wdsOPTION_CONNECT_TIMEOUT_MS = 5
	wdsOPTION_CLOSE_TIMEOUT_MS = 6
	wdsOPTION_WRITE_TIMEOUT_MS = 7
	wdsOPTION_PING_INTERVAL_MS = 8
	wdsOPTION_PONG_TIMEOUT_MS = 9
	wdsOPTION_MAX_MESSAGE_BYTES = 10
	wdsOPTION_RECEIVE_QUEUE_BYTES = 11
	wdsOPTION_SEND_QUEUE_BYTES = 12
	wdsOPTION_SPIN_US = 14
	wdsOPTION_CA_FILE = 20
	wdsOPTION_CLIENT_CERT_FILE = 21
	wdsOPTION_CLIENT_KEY_FILE = 22
	wdsOPTION_VERIFY_PEER = 23
	wdsOPTION_SERVER_NAME = 24
	wdsOPTION_PINNED_KEY = 25
	wdsOPTION_PROXY = 30
	wdsOPTION_RECONNECT_MIN_MS = 31
	wdsOPTION_RECONNECT_MAX_MS = 32
	wdsOPTION_COMPRESSION = 40
	wdsOPTION_COMPRESSION_MIN_BYTES = 41
	wdsOPTION_COMPRESSION_WINDOW_BITS = 42
	wdsOPTION_COMPRESSION_CONTEXT_TAKEOVER = 43

	// Items: wdsSocketInfo
	wdsINFO_PROTOCOL = 1
	wdsINFO_EXTENSIONS = 2
	wdsINFO_REMOTE_ADDRESS = 3
	wdsINFO_CLOSE_CODE = 4
	wdsINFO_CLOSE_REASON = 5
	wdsINFO_HTTP_STATUS = 6
	wdsINFO_RESPONSE_HEADERS = 7
	wdsINFO_TLS = 8
	wdsINFO_BYTES_IN = 9
	wdsINFO_BYTES_OUT = 10
	wdsINFO_MESSAGES_IN = 11
	wdsINFO_MESSAGES_OUT = 12
	wdsINFO_QUEUED_IN = 13
	wdsINFO_QUEUED_OUT = 14
	wdsINFO_PING_MS = 15
	wdsINFO_URL = 16
	wdsINFO_LAST_ERROR = 17
	wdsINFO_PEER_CERTIFICATE = 18
	wdsINFO_PROXY = 19
	wdsINFO_RECONNECTIONS = 20
	wdsINFO_WIRE_BYTES_IN = 21
	wdsINFO_WIRE_BYTES_OUT = 22

	// TLS versions
	wdsSSL_TLS1 = 4
	wdsSSL_TLS1_1 = 8
	wdsSSL_TLS1_2 = 16
	wdsSSL_TLS1_3 = 32

	// Errors: wdsSocketErrorCode
	wdsE_OK = 0
	wdsE_INVALID_ARGUMENT = 1
	wdsE_UNKNOWN_NAME = 2
	wdsE_NAME_IN_USE = 3
	wdsE_CLOSED = 4
	wdsE_TIMEOUT = 5
	wdsE_RESOLVE = 6
	wdsE_REFUSED = 7
	wdsE_IO = 8
	wdsE_TLS = 9
	wdsE_HANDSHAKE = 10
	wdsE_SUBPROTOCOL = 11
	wdsE_ENCODING = 12
	wdsE_TOO_BIG = 13
	wdsE_BUFFER_TOO_SMALL = 14
	wdsE_CALLBACK_SOCKET = 15
	wdsE_SEND_QUEUE_FULL = 16
	wdsE_PROXY = 17
	wdsE_PROTOCOL = 18
	wdsE_CANCELLED = 19
	wdsE_BUSY = 20
	wdsE_NO_MESSAGE = 21
	wdsE_FORKED = 22
	wdsE_UNSUPPORTED = 23
	wdsE_NOT_OPEN = 24
	wdsE_INTERNAL = 99
END

// A procedure that hears the events of the socket sName. One per name that was ever connected with a procedure: it is
// kept after wdsSocketClose, since an event that has begun on the main thread may still need it.
stWdsSlot is Structure
	sName is string
	fProcedure is Procedure
END

GLOBAL
	gsWdsDLL is string                      // empty until the DLL has been chosen
	gnWdsInstance is system int = 0         // what LoadDLL returned
	gpWdsNull is system int = 0             // NULL, as wide as an address
	gaWdsSlot is array of stWdsSlot
	gnWdsSlots is int = 0
	gsWdsCurrent is string                  // the socket whose event is being delivered

// ==================================================================================================================
// PART 2: PROCEDURES
// ==================================================================================================================

// ------------------------------------------------------------------------------------------------------------------
// Loading the DLL
// ------------------------------------------------------------------------------------------------------------------

// To be called once, in the project's initialization code, so on the main thread.
//   sFolder: folder of the DLLs, with its final backslash; empty: where Windows looks for DLLs, the program's own
//            folder first.
//   bMainThread: False for a program without windows (a service), which calls wdsSocketDispatch itself.
// Returns False if the DLL could not be loaded (ErrorInfo() says why) or the thread not attached
// (wdsSocketErrorMessage() says why).
PROCEDURE wdsInit(sFolder is string = "", bMainThread is boolean = True): boolean
	wdsLoad(sFolder)
	IF gnWdsInstance = 0 THEN RESULT False
	IF NOT bMainThread THEN RESULT True
	RESULT wdsSocketAttachThread()

// LoadDLL once: without it API() would load and unload the DLL around every call.
PROCEDURE wdsLoad(sFolder is string)
	IF gnWdsInstance = 0 THEN
		sDLL is string = In64bitMode() ? "wdsocket64.dll" ELSE "wdsocket32.dll"
		gsWdsDLL = sFolder + sDLL
		gnWdsInstance = LoadDLL(gsWdsDLL)
	END

// The DLL's name, for API(). Loads it for programs that have not called wdsInit.
PROCEDURE wdsDLL(): string
	IF gsWdsDLL = "" THEN wdsLoad("")
	RESULT gsWdsDLL

// ------------------------------------------------------------------------------------------------------------------
// Connecting
// ------------------------------------------------------------------------------------------------------------------

// Connects (ws://) and waits until the connection is open or has failed. The messages are read with wdsSocketRead.
//   sAddress: host name, IP address, or a URL "ws://host:port/path".
//   nPort: 0 is the documented default, 443, or with a URL the URL's port, else 80.
//   sPath: with or without the leading "/"; empty is "/".
//   sProtocols: what the server must support, separated by commas.
//   nMaxWait: in milliseconds; 0 is the option CONNECT_TIMEOUT_MS, whose default is the documented one, 5000;
//             negative waits without limit.
// Returns True if the connection is open. Otherwise wdsSocketErrorMessage() and wdsSocketErrorCode() say why.
PROCEDURE wdsWebSocketClientConnect(sName is string, sAddress is string, nPort is int = 0, sPath is string = "", ...
		sProtocols is string = "", nMaxWait is int = 0): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufAddress is Buffer = wdsUTF8(sAddress)
	bufPath is Buffer = wdsUTF8(sPath)
	bufProtocols is Buffer = wdsUTF8(sProtocols)
	nResult is system int = API(wdsDLL(), "WebSocketClientConnect", &bufName, &bufAddress, nPort, &bufPath, ...
		&bufProtocols, nMaxWait)
	RESULT (nResult = 1)

// Asks for a connection (ws://) and returns at once: your procedure hears how it went, and gets the messages.
//   fProcedure: your procedure, with the two documented parameters (event, message). It runs in the main thread,
//               between two messages of the windows' loop.
// The other parameters are those of wdsWebSocketClientConnect. Returns False if the request is not valid; no event
// comes then.
PROCEDURE wdsWebSocketClientConnectAsync(sName is string, fProcedure is Procedure, sAddress is string, ...
		nPort is int = 0, sPath is string = "", sProtocols is string = ""): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufAddress is Buffer = wdsUTF8(sAddress)
	bufPath is Buffer = wdsUTF8(sPath)
	bufProtocols is Buffer = wdsUTF8(sProtocols)
	nSlot is system int = wdsSlot(sName, fProcedure)
	nResult is system int = API(wdsDLL(), "WebSocketClientConnectAsync", &bufName, &wdsOnEvent, &bufAddress, ...
		nPort, &bufPath, &bufProtocols, nSlot)
	RESULT (nResult = 1)

// wdsWebSocketClientConnect over TLS (wss://). The server's certificate is verified: see "Certificates" in README.md.
//   nSSLOptions: wdsProtocolTLS1_2, wdsProtocolTLS1_3 or both added up; 0 is both.
PROCEDURE wdsWebSocketClientConnectSSL(sName is string, sAddress is string, nPort is int = 0, sPath is string = "", ...
		sProtocols is string = "", nSSLOptions is int = 0, nMaxWait is int = 0): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufAddress is Buffer = wdsUTF8(sAddress)
	bufPath is Buffer = wdsUTF8(sPath)
	bufProtocols is Buffer = wdsUTF8(sProtocols)
	nResult is system int = API(wdsDLL(), "WebSocketClientConnectSSL", &bufName, &bufAddress, nPort, &bufPath, ...
		&bufProtocols, nSSLOptions, nMaxWait)
	RESULT (nResult = 1)

// wdsWebSocketClientConnectAsync over TLS (wss://).
PROCEDURE wdsWebSocketClientConnectSSLAsync(sName is string, fProcedure is Procedure, sAddress is string, ...
		nPort is int = 0, sPath is string = "", sProtocols is string = "", nSSLOptions is int = 0): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufAddress is Buffer = wdsUTF8(sAddress)
	bufPath is Buffer = wdsUTF8(sPath)
	bufProtocols is Buffer = wdsUTF8(sProtocols)
	nSlot is system int = wdsSlot(sName, fProcedure)
	nResult is system int = API(wdsDLL(), "WebSocketClientConnectSSLAsync", &bufName, &wdsOnEvent, &bufAddress, ...
		nPort, &bufPath, &bufProtocols, nSSLOptions, nSlot)
	RESULT (nResult = 1)

// Asks for a connection to a URL, "ws://host:port/path" or "wss://host:port/path", as wdsWebSocketClientConnectAsync.
PROCEDURE wdsSocketConnect(sName is string, sURL is string, fProcedure is Procedure, ...
		sProtocols is string = ""): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufURL is Buffer = wdsUTF8(sURL)
	bufProtocols is Buffer = wdsUTF8(sProtocols)
	nSlot is system int = wdsSlot(sName, fProcedure)
	nResult is system int = API(wdsDLL(), "SocketConnect", &bufName, &bufURL, &wdsOnEvent, &bufProtocols, nSlot)
	RESULT (nResult = 1)

// ------------------------------------------------------------------------------------------------------------------
// Events
// ------------------------------------------------------------------------------------------------------------------

// The number under which the procedure of sName is kept. A live connection keeps the procedure that it has: the
// connect call that follows will be refused then (wdsE_NAME_IN_USE).
PROCEDURE wdsSlot(sName is string, fProcedure is Procedure): system int
	nState is int = wdsSocketState(sName)
	bLive is boolean = (nState = wdsSTATE_CONNECTING OR nState = wdsSTATE_OPEN OR nState = wdsSTATE_CLOSING)
	nSlot is system int = 0
	nI is int = 0
	CriticalSectionStart("wdsocket")
	FOR nI = 1 TO gnWdsSlots
		IF gaWdsSlot[nI].sName = sName THEN nSlot = nI
	END
	IF nSlot = 0 THEN
		stSlot is stWdsSlot
		stSlot.sName = sName
		stSlot.fProcedure = fProcedure
		ArrayAdd(gaWdsSlot, stSlot)
		gnWdsSlots += 1
		nSlot = gnWdsSlots
	ELSE
		IF NOT bLive THEN gaWdsSlot[nSlot].fProcedure = fProcedure
	END
	CriticalSectionEnd("wdsocket")
	RESULT nSlot

// What the DLL calls for each event, on the thread that is attached or dispatches. Five parameters, each a whole
// register: the convention depends on it in 32-bit programs.
PROCEDURE wdsOnEvent(nEvent is system int, pMessage is system int, nLength is system int, pName is system int, ...
		nSlot is system int)
	// In a 64-bit program the upper half of the register is not said to be zero.
	nKind is int = BinaryAND(nEvent, 0x7FFFFFFF)
	CriticalSectionStart("wdsocket")
	fProcedure is Procedure = gaWdsSlot[nSlot].fProcedure
	CriticalSectionEnd("wdsocket")
	gsWdsCurrent = wdsTextAt(pName)
	bufMessage is Buffer = wdsBytesAt(pMessage, nLength)
	nType is int = wdsMESSAGE_TEXT
	// Only then: any call would take the cause of an error event away from wdsSocketErrorMessage().
	IF nKind = wdsEVENT_MESSAGE THEN nType = wdsSocketMessageType(gsWdsCurrent)
	IF nType = wdsMESSAGE_BINARY THEN
		fProcedure(nKind, bufMessage)
	ELSE
		fProcedure(nKind, wdsText(bufMessage))
	END
	gsWdsCurrent = ""

// Inside your procedure: the name of the socket whose event it is, so that one procedure can serve several sockets.
PROCEDURE wdsSocketCurrent(): string
	RESULT gsWdsCurrent

// Events are delivered by the message loop of the calling thread from here on. wdsInit does this.
PROCEDURE wdsSocketAttachThread(): boolean
	nResult is system int = API(wdsDLL(), "SocketAttachThread")
	RESULT (nResult = 1)

// Instead of that (wdsInit("", False)): each time events begin to wait, the message nMessage is posted to the window,
// whose event code then calls wdsSocketDispatch(). 0 as window ends it. nMessage is best 0x8000 (WM_APP) or a little
// more: WinDev has reserved WM_USER+700 to WM_USER+1200.
PROCEDURE wdsSocketPostToWindow(hWindow is system int, nMessage is int): boolean
	nResult is system int = API(wdsDLL(), "SocketPostToWindow", hWindow, nMessage)
	RESULT (nResult = 1)

// Delivers waiting events on the calling thread: for programs without windows, for the message of
// wdsSocketPostToWindow, and for long computations in the main thread.
//   nMaxWait: how long to wait for the first, in milliseconds; 0 does not wait, negative waits without limit.
//   nMaxEvents: at most so many; 0: those that were waiting.
// Returns how many, or a negative error code: -wdsE_BUSY while another thread delivers, and inside your procedure.
PROCEDURE wdsSocketDispatch(nMaxWait is int = 0, nMaxEvents is int = 0): int
	nResult is system int = API(wdsDLL(), "SocketDispatch", nMaxWait, nMaxEvents)
	RESULT nResult

// Ends the wait of wdsSocketDispatch on another thread.
PROCEDURE wdsSocketWake(): boolean
	nResult is system int = API(wdsDLL(), "SocketWake")
	RESULT (nResult = 1)

// Waits until the procedures that were running for events have returned: for programs that close a socket on another
// thread than the one where its procedure runs.
PROCEDURE wdsSocketSync(nMaxWait is int = -1): boolean
	nResult is system int = API(wdsDLL(), "SocketSync", nMaxWait)
	RESULT (nResult = 1)

// ------------------------------------------------------------------------------------------------------------------
// Writing and reading
// ------------------------------------------------------------------------------------------------------------------

// Sends a text message. Returns False if it was not sent.
PROCEDURE wdsSocketWrite(sName is string, sMessage is string): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufMessage is Buffer = StringToUTF8(sMessage)
	nLength is system int = Length(bufMessage)
	// Even an empty message needs an address, so the Buffer may not be empty. nLength does not count the zero.
	bufMessage += Charact(0)
	nResult is system int = API(wdsDLL(), "SocketWrite", &bufName, &bufMessage, nLength)
	RESULT (nResult = 1)

// Sends a binary message: the bytes as they are.
PROCEDURE wdsSocketWriteBinary(sName is string, bufData is Buffer): boolean
	bufName is Buffer = wdsUTF8(sName)
	nLength is system int = Length(bufData)
	bufMessage is Buffer = bufData
	IF nLength = 0 THEN bufMessage = Charact(0)
	nResult is system int = API(wdsDLL(), "SocketWriteBinary", &bufName, &bufMessage, nLength)
	RESULT (nResult = 1)

// Reads one whole text message.
//   bWaitIndefinitely: waits until one comes or the connection ends.
//   nMaxWait: otherwise how long, in milliseconds; 0 does not wait, negative waits without limit.
//   nMaxBytes: the size of the buffer that is tried first. A longer message is not cut: the buffer grows.
// Empty: no message came (wdsSocketErrorCode(): wdsE_TIMEOUT, wdsE_CLOSED, ...) or an empty one (wdsE_OK).
PROCEDURE wdsSocketRead(sName is string, bWaitIndefinitely is boolean = True, nMaxWait is int = 1000, ...
		nMaxBytes is int = 4096): string
	RESULT wdsText(wdsSocketReadBuffer(sName, bWaitIndefinitely, nMaxWait, nMaxBytes))

// The same for messages of either kind: the bytes as they came. wdsSocketMessageType says of which kind it was.
PROCEDURE wdsSocketReadBuffer(sName is string, bWaitIndefinitely is boolean = True, nMaxWait is int = 1000, ...
		nMaxBytes is int = 4096): Buffer
	bufName is Buffer = wdsUTF8(sName)
	nWait is int = 0
	IF bWaitIndefinitely THEN nWait = 1
	nBytes is system int = nMaxBytes
	IF nBytes < 1 THEN nBytes = 4096
	bufMessage is Buffer = wdsRoom(nBytes)
	nRoom is system int = Length(bufMessage)
	nLength is system int = 0
	LOOP
		nLength = API(wdsDLL(), "SocketRead", &bufName, nWait, nMaxWait, &bufMessage, nRoom)
		IF nLength <> -wdsE_BUFFER_TOO_SMALL THEN BREAK
		// The message waits. If another thread takes it now, the next SocketRead waits for the one after it.
		nBytes = API(wdsDLL(), "SocketAvailable", &bufName)
		IF nBytes > nRoom THEN
			bufMessage = wdsRoom(nBytes)
			nRoom = Length(bufMessage)
		END
	END
	RESULT wdsFirst(bufMessage, nLength)

// The length of the next message in bytes, without waiting; -wdsE_NO_MESSAGE, -wdsE_CLOSED or another negative code.
PROCEDURE wdsSocketAvailable(sName is string): int
	bufName is Buffer = wdsUTF8(sName)
	nResult is system int = API(wdsDLL(), "SocketAvailable", &bufName)
	RESULT nResult

// wdsMESSAGE_TEXT or wdsMESSAGE_BINARY: in your procedure of the message being delivered, else of the message that
// this thread last read.
PROCEDURE wdsSocketMessageType(sName is string): int
	bufName is Buffer = wdsUTF8(sName)
	nResult is system int = API(wdsDLL(), "SocketMessageType", &bufName)
	RESULT nResult

// ------------------------------------------------------------------------------------------------------------------
// Closing and looking
// ------------------------------------------------------------------------------------------------------------------

// Closes, without waiting: what was written is still sent, no event comes any more, the name is free.
// Returns False if no socket had this name (the built-in function returns nothing).
PROCEDURE wdsSocketClose(sName is string): boolean
	bufName is Buffer = wdsUTF8(sName)
	nResult is system int = API(wdsDLL(), "SocketClose", &bufName)
	RESULT (nResult = 1)

// Begins the closing with a code (1000, 3000 to 4999) and a reason, and keeps the name: messages still arrive, then
// wdsSocketClosing, or wdsE_CLOSED when reading. wdsSocketClose then frees the name.
PROCEDURE wdsSocketCloseWith(sName is string, nCode is int = 1000, sReason is string = ""): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufReason is Buffer = wdsUTF8(sReason)
	nResult is system int = API(wdsDLL(), "SocketCloseWith", &bufName, nCode, &bufReason)
	RESULT (nResult = 1)

// True from the connect call until wdsSocketClose, also when the server has gone, as documented. wdsSocketState says
// whether the connection lives.
PROCEDURE wdsSocketExists(sName is string): boolean
	bufName is Buffer = wdsUTF8(sName)
	nResult is system int = API(wdsDLL(), "SocketExists", &bufName)
	RESULT (nResult = 1)

// wdsSTATE_NONE, wdsSTATE_CONNECTING, wdsSTATE_OPEN, wdsSTATE_CLOSING or wdsSTATE_CLOSED.
PROCEDURE wdsSocketState(sName is string): int
	bufName is Buffer = wdsUTF8(sName)
	nResult is system int = API(wdsDLL(), "SocketState", &bufName)
	RESULT nResult

// What is known of a connection, as text: nItem is a constant wdsINFO_... An empty name is the calling thread's last
// synchronous connection attempt that failed. Empty if there is nothing to say or the item is not known.
PROCEDURE wdsSocketInfo(sName is string, nItem is int): string
	bufName is Buffer = wdsUTF8(sName)
	pName is system int = gpWdsNull
	IF sName <> "" THEN pName = &bufName
	nBytes is system int = 256
	bufText is Buffer = wdsRoom(nBytes)
	nRoom is system int = Length(bufText)
	nLength is system int = 0
	nNoRoom is system int = 0
	LOOP
		nLength = API(wdsDLL(), "SocketInfo", pName, nItem, &bufText, nRoom)
		IF nLength <> -wdsE_BUFFER_TOO_SMALL THEN BREAK
		nBytes = API(wdsDLL(), "SocketInfo", pName, nItem, gpWdsNull, nNoRoom)
		// One more for the final zero.
		IF nBytes >= nRoom THEN
			bufText = wdsRoom(nBytes + 1)
			nRoom = Length(bufText)
		END
	END
	RESULT wdsText(wdsFirst(bufText, nLength))

// Has no effect on a WebSocket, as documented: here so that programs that call it keep working.
PROCEDURE wdsSocketChangeTransmissionMode(sName is string, nMode is int, sOption is string = ""): boolean
	bufName is Buffer = wdsUTF8(sName)
	bufOption is Buffer = wdsUTF8(sOption)
	nResult is system int = API(wdsDLL(), "SocketChangeTransmissionMode", &bufName, nMode, &bufOption)
	RESULT (nResult = 1)

// ------------------------------------------------------------------------------------------------------------------
// Options
// ------------------------------------------------------------------------------------------------------------------

// The proxy of all later connections: "socks5://host", "socks5h://host", "http://host" or "https://host"; "" is none.
//   nPort: 0 is the URL's, else the documented default for SOCKS, 1080 (8080 for http, 443 for https).
PROCEDURE wdsSocketProxy(sProxy is string, nPort is int = 0, sLogin is string = "", sPassword is string = ""): boolean
	bufProxy is Buffer = wdsUTF8(sProxy)
	bufLogin is Buffer = wdsUTF8(sLogin)
	bufPassword is Buffer = wdsUTF8(sPassword)
	nResult is system int = API(wdsDLL(), "SocketProxy", &bufProxy, nPort, &bufLogin, &bufPassword)
	RESULT (nResult = 1)

// Sets an option, a constant wdsOPTION_..., for the socket sName, which need not exist yet; "" as name: for all later
// connections. The value is always text: "30000", "on".
PROCEDURE wdsSocketSetOption(sName is string, nOption is int, sValue is string): boolean
	bufName is Buffer = wdsUTF8(sName)
	pName is system int = gpWdsNull
	IF sName <> "" THEN pName = &bufName
	bufValue is Buffer = wdsUTF8(sValue)
	nResult is system int = API(wdsDLL(), "SocketSetOption", pName, nOption, &bufValue)
	RESULT (nResult = 1)

// Takes an option back: a socket's to the default of all connections, that one ("" as name) to the library's own.
PROCEDURE wdsSocketResetOption(sName is string, nOption is int): boolean
	bufName is Buffer = wdsUTF8(sName)
	pName is system int = gpWdsNull
	IF sName <> "" THEN pName = &bufName
	nResult is system int = API(wdsDLL(), "SocketSetOption", pName, nOption, gpWdsNull)
	RESULT (nResult = 1)

// Adds one header, "Name: value", to the connection requests of sName, or of all ("" as name).
PROCEDURE wdsSocketAddHeader(sName is string, sHeader is string): boolean
	RESULT wdsSocketSetOption(sName, wdsOPTION_HEADER, sHeader)

// ------------------------------------------------------------------------------------------------------------------
// Errors, version, ending
// ------------------------------------------------------------------------------------------------------------------

// How the calling thread's last procedure of this file went: wdsE_OK or another of the constants wdsE_... above.
PROCEDURE wdsSocketErrorCode(): int
	nResult is system int = API(wdsDLL(), "SocketErrorCode")
	RESULT nResult

// The same as an English sentence, what ErrorInfo() is to the built-in functions; empty after a success.
PROCEDURE wdsSocketErrorMessage(): string
	pText is system int = API(wdsDLL(), "SocketErrorMessage")
	RESULT wdsTextAt(pText)

// The library's version, "major.minor.patch".
PROCEDURE wdsSocketVersion(): string
	pText is system int = API(wdsDLL(), "SocketVersion")
	RESULT wdsTextAt(pText)

// Closes all sockets and waits at most nMaxWait milliseconds for the servers' answers. A program may also simply end.
PROCEDURE wdsSocketShutdown(nMaxWait is int = 1000): boolean
	nResult is system int = API(wdsDLL(), "SocketShutdown", nMaxWait)
	RESULT (nResult = 1)

// ------------------------------------------------------------------------------------------------------------------
// Text and bytes
// ------------------------------------------------------------------------------------------------------------------

// Text as UTF-8 with a final zero, to be passed by address.
PROCEDURE wdsUTF8(sText is string): Buffer
	bufText is Buffer = StringToUTF8(sText)
	bufText += Charact(0)
	RESULT bufText

// UTF-8 as text. In a project that runs with ANSI strings, what the code page lacks is lost.
PROCEDURE wdsText(bufText is Buffer): string
	IF Length(bufText) = 0 THEN RESULT ""
	RESULT UTF8ToString(bufText)

// A Buffer of at least nBytes bytes. The caller asks it for its length: where strings are UTF-16 it may be longer.
PROCEDURE wdsRoom(nBytes is system int): Buffer
	bufRoom is Buffer = RepeatString(Charact(0), nBytes)
	RESULT bufRoom

// The first nLength bytes; none where nLength is an error.
PROCEDURE wdsFirst(bufBytes is Buffer, nLength is system int): Buffer
	bufFirst is Buffer
	IF nLength > 0 THEN bufFirst = bufBytes[[1 TO nLength]]
	RESULT bufFirst

// A copy of nLength bytes of the DLL's memory. StringRetrieve stops at a zero and knows no UTF-8.
PROCEDURE wdsBytesAt(pBytes is system int, nLength is system int): Buffer
	bufCopy is Buffer
	IF nLength <= 0 THEN RESULT bufCopy
	bufCopy = wdsRoom(nLength)
	API("kernel32", "RtlMoveMemory", &bufCopy, pBytes, nLength)
	RESULT wdsFirst(bufCopy, nLength)

// Text of the DLL's memory, which ends with a zero.
PROCEDURE wdsTextAt(pText is system int): string
	nResult is system int = API("kernel32", "lstrlenA", pText)
	// A 32-bit result: in a 64-bit program the upper half of the register is not said to be zero.
	nLength is system int = BinaryAND(nResult, 0x7FFFFFFF)
	RESULT wdsText(wdsBytesAt(pText, nLength))

// ------------------------------------------------------------------------------------------------------------------
// Les noms francais : chaque procedure appelle celle du nom anglais, dont le commentaire vaut pour les deux.
// ------------------------------------------------------------------------------------------------------------------

PROCEDURE wdsInitialise(sFolder is string = "", bMainThread is boolean = True): boolean
	RESULT wdsInit(sFolder, bMainThread)

PROCEDURE wdsWebSocketClientConnecte(sName is string, sAddress is string, nPort is int = 0, sPath is string = "", ...
		sProtocols is string = "", nMaxWait is int = 0): boolean
	RESULT wdsWebSocketClientConnect(sName, sAddress, nPort, sPath, sProtocols, nMaxWait)

PROCEDURE wdsWebSocketClientConnecteAsync(sName is string, fProcedure is Procedure, sAddress is string, ...
		nPort is int = 0, sPath is string = "", sProtocols is string = ""): boolean
	RESULT wdsWebSocketClientConnectAsync(sName, fProcedure, sAddress, nPort, sPath, sProtocols)

PROCEDURE wdsWebSocketClientConnecteSSL(sName is string, sAddress is string, nPort is int = 0, ...
		sPath is string = "", sProtocols is string = "", nSSLOptions is int = 0, nMaxWait is int = 0): boolean
	RESULT wdsWebSocketClientConnectSSL(sName, sAddress, nPort, sPath, sProtocols, nSSLOptions, nMaxWait)

PROCEDURE wdsWebSocketClientConnecteSSLAsync(sName is string, fProcedure is Procedure, sAddress is string, ...
		nPort is int = 0, sPath is string = "", sProtocols is string = "", nSSLOptions is int = 0): boolean
	RESULT wdsWebSocketClientConnectSSLAsync(sName, fProcedure, sAddress, nPort, sPath, sProtocols, nSSLOptions)

PROCEDURE wdsSocketConnecte(sName is string, sURL is string, fProcedure is Procedure, ...
		sProtocols is string = ""): boolean
	RESULT wdsSocketConnect(sName, sURL, fProcedure, sProtocols)

PROCEDURE wdsSocketEnCours(): string
	RESULT wdsSocketCurrent()

PROCEDURE wdsSocketAttacheThread(): boolean
	RESULT wdsSocketAttachThread()

PROCEDURE wdsSocketPosteFenetre(hWindow is system int, nMessage is int): boolean
	RESULT wdsSocketPostToWindow(hWindow, nMessage)

PROCEDURE wdsSocketDistribue(nMaxWait is int = 0, nMaxEvents is int = 0): int
	RESULT wdsSocketDispatch(nMaxWait, nMaxEvents)

PROCEDURE wdsSocketReveille(): boolean
	RESULT wdsSocketWake()

PROCEDURE wdsSocketSynchronise(nMaxWait is int = -1): boolean
	RESULT wdsSocketSync(nMaxWait)

PROCEDURE wdsSocketEcrit(sName is string, sMessage is string): boolean
	RESULT wdsSocketWrite(sName, sMessage)

PROCEDURE wdsSocketEcritBinaire(sName is string, bufData is Buffer): boolean
	RESULT wdsSocketWriteBinary(sName, bufData)

PROCEDURE wdsSocketLit(sName is string, bWaitIndefinitely is boolean = True, nMaxWait is int = 1000, ...
		nMaxBytes is int = 4096): string
	RESULT wdsSocketRead(sName, bWaitIndefinitely, nMaxWait, nMaxBytes)

PROCEDURE wdsSocketLitBuffer(sName is string, bWaitIndefinitely is boolean = True, nMaxWait is int = 1000, ...
		nMaxBytes is int = 4096): Buffer
	RESULT wdsSocketReadBuffer(sName, bWaitIndefinitely, nMaxWait, nMaxBytes)

PROCEDURE wdsSocketDisponible(sName is string): int
	RESULT wdsSocketAvailable(sName)

PROCEDURE wdsSocketTypeMessage(sName is string): int
	RESULT wdsSocketMessageType(sName)

PROCEDURE wdsSocketFerme(sName is string): boolean
	RESULT wdsSocketClose(sName)

PROCEDURE wdsSocketFermeAvec(sName is string, nCode is int = 1000, sReason is string = ""): boolean
	RESULT wdsSocketCloseWith(sName, nCode, sReason)

PROCEDURE wdsSocketExiste(sName is string): boolean
	RESULT wdsSocketExists(sName)

PROCEDURE wdsSocketEtat(sName is string): int
	RESULT wdsSocketState(sName)

PROCEDURE wdsSocketInformation(sName is string, nItem is int): string
	RESULT wdsSocketInfo(sName, nItem)

PROCEDURE wdsSocketChangeModeTransmission(sName is string, nMode is int, sOption is string = ""): boolean
	RESULT wdsSocketChangeTransmissionMode(sName, nMode, sOption)

PROCEDURE wdsSocketFixeOption(sName is string, nOption is int, sValue is string): boolean
	RESULT wdsSocketSetOption(sName, nOption, sValue)

PROCEDURE wdsSocketAnnuleOption(sName is string, nOption is int): boolean
	RESULT wdsSocketResetOption(sName, nOption)

PROCEDURE wdsSocketAjouteEntete(sName is string, sHeader is string): boolean
	RESULT wdsSocketAddHeader(sName, sHeader)

PROCEDURE wdsSocketCodeErreur(): int
	RESULT wdsSocketErrorCode()

PROCEDURE wdsSocketMessageErreur(): string
	RESULT wdsSocketErrorMessage()

PROCEDURE wdsSocketArrete(nMaxWait is int = 1000): boolean
	RESULT wdsSocketShutdown(nMaxWait)
