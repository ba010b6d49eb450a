/** What this project uses of the package `smpp`, which brings no types. */
declare module "smpp" {
  import type { EventEmitter } from "node:events";

  /** A text comes back with its header taken off; what is in no known alphabet stays bytes. */
  type Text = { message: string | Buffer };

  class PDU {
    constructor(command: string, fields?: object);
    readonly command: string;
    readonly command_status: number;
    readonly message_id?: string;
    readonly esm_class?: number;
    readonly short_message?: Text;
    readonly message_payload?: Text;
    readonly receipted_message_id?: string;
    readonly message_state?: number;
    response(fields?: object): PDU;
  }

  class Session extends EventEmitter {
    /** False where the connection cannot be written to any more. */
    send(pdu: PDU, onAnswer?: (answer: PDU) => void): boolean;
    close(): void;
    destroy(): void;
  }

  const smpp: {
    PDU: typeof PDU;
    connect(options: { host: string; port: number; tls: boolean }): Session;
    encodings: Record<"ASCII" | "UCS2", Encoding>;
    errors: Record<string, number>;
  };
  type Encoding = { match(text: string): boolean; encode(text: string): Buffer };

  export { type PDU, type Session };
  export default smpp;
}
