import type { MailGateway } from "../../providers/mail/mail.ts";

/** A mail server behind which every address is this mailbox, and that can refuse it. */
export function testMailbox() {
  let refuses = false;
  return {
    /** From now on no mail is taken. */
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
