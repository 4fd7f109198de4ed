// The peer written with Node's `ws`. Same paths, parameters and answers as peer_websockets.py, which lists them.
//
// Prints "port N", ends when its standard input ends.
// WDSOCKET_NODE: the folder whose node_modules has ws (scripts/setup.sh fills it).

import { createRequire } from "node:module";
import { once } from "node:events";
import { createServer } from "node:http";

const { WebSocketServer } = createRequire(process.env.WDSOCKET_NODE + "/")("ws");

const endings = new Map(); // id -> {promise, resolve} of "CODE PINGS REASON"

function ending(id) {
  if (!endings.has(id)) {
    const entry = {};
    entry.promise = new Promise((resolve) => (entry.resolve = resolve));
    endings.set(id, entry);
  }
  return endings.get(id);
}

function echo(peer, data, binary, fragment) {
  if (!fragment || data.length < 2) {
    peer.send(data, { binary });
    return;
  }
  // Cut anywhere, inside characters too; few pieces or many.
  const longest = 1 + (data.length >> Math.floor(Math.random() * 6));
  let from = 0;
  while (from < data.length) {
    const to = Math.min(data.length, from + 1 + Math.floor(Math.random() * longest));
    peer.send(data.subarray(from, to), { binary, fin: to === data.length });
    from = to;
  }
}

function deflate(query) {
  if (query.has("plain")) return false;
  const bits = (name) => (query.has(name) ? Number(query.get(name)) : undefined);
  return {
    threshold: 0,
    serverNoContextTakeover: query.has("server_no_context_takeover") || undefined, // false would refuse the client's wish
    clientNoContextTakeover: query.has("client_no_context_takeover"),
    serverMaxWindowBits: bits("server_max_window_bits"),
    clientMaxWindowBits: bits("client_max_window_bits"),
    zlibDeflateOptions: { level: 3 },
  };
}

async function connected(peer, request, url) {
  const id = url.searchParams.get("id");
  let pings = 0;
  peer.on("error", (error) => console.error("peer_ws:", error.message)); // "close" follows
  peer.on("ping", () => pings++);
  peer.on("close", (code, reason) => {
    if (id && url.pathname !== "/seen") ending(id).resolve(`${code} ${pings} ${reason}`);
  });

  if (url.pathname === "/seen") {
    peer.send(await ending(id).promise);
    return;
  }
  if (url.pathname === "/close") {
    peer.once("message", (data) => {
      const [, code, reason] = data.toString().match(/^(\d+) (.*)$/su);
      peer.close(Number(code), reason);
    });
    return;
  }
  const fragment = url.searchParams.has("fragment");
  peer.on("message", (data, binary) => echo(peer, data, binary, fragment));
  if (url.pathname === "/ping") {
    peer.ping("are you there?");
    const [payload] = await once(peer, "pong");
    peer.send("pong " + payload);
  } else if (url.pathname === "/header") {
    peer.send(request.headers["x-big"] ?? "");
  }
}

const http = createServer();

// A server of its own for each connection: the parameters of the compression are the server's.
http.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url, "ws://localhost");
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 0,
    perMessageDeflate: deflate(url.searchParams),
    handleProtocols: (offered) => [...offered].find((name) => name === "mqtt" || name === "soap") ?? false,
    verifyClient: (_, answer) => (url.pathname === "/refuse" ? answer(false, 403, "not you\n") : answer(true)),
  });
  server.on("headers", (headers) => {
    const big = request.headers["x-big"];
    if (big) headers.push("X-Reply: " + "r".repeat(big.length));
  });
  server.handleUpgrade(request, socket, head, (peer) => connected(peer, request, url));
});

http.listen(0, "127.0.0.1", () => console.log("port", http.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
