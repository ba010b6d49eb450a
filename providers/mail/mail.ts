/** A plain-text mail; one of the same `id` sent again is the same mail to whoever sorts them. */
export type Mail = { id: string; to: string; subject: string; body: string };

export type MailGateway = {
  /** "refused" when the recipient's side will never take it; throws any error to retry. */
  send(mail: Mail): Promise<"sent" | "refused">;
  close(): void;
};
