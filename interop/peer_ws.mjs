// The peer written with Node's `ws`. Same paths and answers as peer_websockets.py, which lists them.
//
// Prints "port N", ends when its standard input ends. With --deflate it agrees to compress.
// WDSOCKET_NODE: the folder whose node_modules has ws (scripts/setup.sh fills it).

import { createRequire } from "node:module";
import { once } from "node:events";

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
  // Cut anywhere, inside characters too.
  let from = 0;
  while (from < data.length) {
    const to = from + 1 + Math.floor(Math.random() * (data.length - from));
    peer.send(data.subarray(from, to), { binary, fin: to === data.length });
    from = to;
  }
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 0,
  perMessageDeflate: process.argv.includes("--deflate"),
  handleProtocols: (offered) => [...offered].find((name) => name === "mqtt" || name === "soap") ?? false,
  verifyClient: ({ req }, answer) => (req.url === "/refuse" ? answer(false, 403, "not you\n") : answer(true)),
});

server.on("headers", (headers, request) => {
  const big = request.headers["x-big"];
  if (big) headers.push("X-Reply: " + "r".repeat(big.length));
});

server.on("connection", async (peer, request) => {
  const url = new URL(request.url, "ws://localhost");
  const id = url.searchParams.get("id");
  let pings = 0;
  peer.on("error", () => {}); // "close" follows and tells
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
});

server.on("listening", () => console.log("port", server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
