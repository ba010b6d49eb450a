/** The parts of the package `smpp` that this project uses. The package has no types. */
declare module "smpp" {
  import type { EventEmitter } from "node:events";

  /** The text without its header. Text in an unknown alphabet stays bytes. */
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
    /** False if the connection can no longer be written to. */
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
