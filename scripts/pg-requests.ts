import type { Socket } from "node:net";
import { protocol } from "@electric-sql/pglite";

/*
 * The client's half of PostgreSQL's protocol 3.0, as far as a server needs it to know where a
 * message ends (PostgreSQL's documentation, 53.2 "Message Flow" and 53.7 "Message Formats").
 */

/** Codes in the place of a start-up message's protocol version. */
const CANCEL_REQUEST = 80_877_102;
const ENCRYPTION_REQUESTS = [80_877_103, 80_877_104];

/** After these messages a client waits for an answer. After a flush the server is not ready yet. */
const FLUSH = "H";
const ENDS = ["Q", "S", FLUSH];
const TYPES = ["P", "B", "C", "D", "E", ...ENDS];
const COPY_TYPES = ["c", "d", "f"];
const TERMINATE = "X";

/**
 * Sent after every message that may begin a COPY from the client. PGlite would wait for the copy's
 * data for ever and let nobody send it. If no copy goes on, the server ignores this message, as the
 * protocol demands.
 */
const NO_COPY = Buffer.from(protocol.serialize.copyFail("the embedded database takes no copy"));
const MAY_COPY = ["Q", "E"];

export type Request = {
  bytes: Buffer;
  /**
   * Whether the server is ready for the next request after its answer, and not still in the middle.
   */
  complete: boolean;
};

/**
 * Answers a client's start-up with `greeting`, refuses encryption, and yields the client's
 * requests: all messages up to one that must be answered. Ends when the client ends; throws if the
 * connection breaks. Named prepared statements get `owner` before their names.
 */
export async function* requestsOf(
  socket: Socket,
  { greeting, owner }: { greeting: Buffer; owner: string },
): AsyncGenerator<Request, undefined> {
  let received = Buffer.alloc(0);
  let started = false;
  let messages: Buffer[] = [];
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const size = messageSize(received, started ? 1 : 0);
      if (!size || received.length < size) break;
      const message = received.subarray(0, size);
      received = received.subarray(size);
      if (!started) {
        const code = message.readInt32BE(4);
        if (code === CANCEL_REQUEST) return;
        started = !ENCRYPTION_REQUESTS.includes(code);
        socket.write(started ? greeting : "N");
        continue;
      }
      const type = String.fromCharCode(message[0] ?? 0);
      if (type === TERMINATE) return;
      if (COPY_TYPES.includes(type)) continue;
      // An unknown message ends a server process of PostgreSQL, which PGlite would not survive.
      if (!TYPES.includes(type)) throw new Error("This is not PostgreSQL's protocol");
      messages.push(withOwner(message, type, owner));
      if (MAY_COPY.includes(type)) messages.push(NO_COPY);
      if (ENDS.includes(type)) {
        yield { bytes: Buffer.concat(messages), complete: type !== FLUSH };
        messages = [];
      }
    }
  }
}

/**
 * The size of the first message. Its length follows its type; a start-up message has no type.
 * Undefined until the length has arrived.
 */
function messageSize(received: Buffer, typeBytes: number): number | undefined {
  if (received.length < typeBytes + 4) return undefined;
  const length = received.readInt32BE(typeBytes);
  if (length < (typeBytes ? 4 : 8)) throw new Error("This is not PostgreSQL's protocol");
  return typeBytes + length;
}

function withOwner(message: Buffer, type: string, owner: string): Buffer {
  const at = statementName(message, type);
  if (at === undefined || message[at] === 0) return message;
  const owned = Buffer.concat([message.subarray(0, at), Buffer.from(owner), message.subarray(at)]);
  owned.writeInt32BE(owned.length - 1, 1);
  return owned;
}

/** Where the name of a prepared statement begins in a message that has one. */
function statementName(message: Buffer, type: string): number | undefined {
  if (type === "P") return 5;
  if (type === "B") return message.indexOf(0, 5) + 1;
  const describesOrCloses = type === "D" || type === "C";
  return describesOrCloses && message[5] === "S".charCodeAt(0) ? 6 : undefined;
}
