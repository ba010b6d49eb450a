import { connect, type Socket } from "node:net";

const SILENCE_MS = 2000;

/** Sends bytes to a local port, and reads until the server closes or stops sending. */
export async function exchange(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let read = "";
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    read += text;
  });
  socket.on("error", () => {});
  for (const piece of pieces) await write(socket, piece);
  await new Promise<void>((resolve) => {
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on("close", () => resolve());
  });
  return read;
}

/** Writes. Ignores an error: what the server answered before it closed still counts. */
export function write(socket: Socket, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.write(bytes, () => resolve());
  });
}

/** An HTTP/1.1 request as text: request line, usual and extra headers, body. */
export const httpRequest = (line: string, headers: string[] = [], body = "") =>
  [line, "Host: localhost", "Connection: close", ...headers, "", body].join("\r\n");

/** The status in an answer's first line; NaN if there is none. */
export const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
