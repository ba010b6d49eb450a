import type { MailGateway } from "../../providers/mail/mail.ts";

/** A mail server that delivers every address to this mailbox, and that a test can make refuse. */
export function testMailbox() {
  let refuses = false;
  return {
    /** Refuses every later mail. */
    refuse() {
      refuses = true;
    },
    recover() {
      refuses = false;
    },
    gateway: {
      send: async () => (refuses ? "refused" : "sent"),
      close() {},
    } satisfies MailGateway,
  };
}
