/** A plain-text mail. A mail with the same `id` is recognised as a repeat. */
export type Mail = { id: string; to: string; subject: string; body: string };

export type MailGateway = {
  /**
   * "refused" if the recipient's server will never accept it. Any error that it throws means: try
   * again.
   */
  send(mail: Mail): Promise<"sent" | "refused">;
  close(): void;
};
