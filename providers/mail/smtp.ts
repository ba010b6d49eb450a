import { createTransport } from "nodemailer";
import type { MailGateway } from "./mail.ts";

const PATIENCE_MS = 10_000;
const CONNECTIONS = 10;

/**
 * Sends by an SMTP server (RFC 5321), over TLS where the server has it. A password goes over TLS
 * alone. What follows the URL's `?` are further settings of nodemailer, such as `tls.ca`. Beyond ten
 * mails at once it throws: behind a server that says nothing they would keep the worker from logins.
 */
export function smtpGateway(url: string, from: string): MailGateway {
  const transport = createTransport(
    {
      url,
      pool: true,
      maxConnections: CONNECTIONS,
      requireTLS: new URL(url).username !== "",
      dnsTimeout: PATIENCE_MS,
      connectionTimeout: PATIENCE_MS,
      greetingTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    // RFC 3834: nobody's absence is answered to us.
    { from, headers: { "Auto-Submitted": "auto-generated" } },
  );
  let underWay = 0;
  const host = /@([^\s>]+)/.exec(from)?.[1] ?? "localhost";

  return {
    async send({ id, to, subject, body }) {
      if (underWay >= CONNECTIONS) throw new Error("Too many mails are under way");
      const messageId = `<${id}@${host}>`;
      underWay += 1;
      try {
        await transport.sendMail({ to: { name: "", address: to }, subject, text: body, messageId });
        return "sent";
      } catch (error) {
        if (isRefusal(error as SmtpError)) return "refused";
        throw error;
      } finally {
        underWay -= 1;
      }
    },
    close: () => transport.close(),
  };
}

type SmtpError = Error & { responseCode?: number; command?: string };

/** A permanent reply (RFC 5321 section 4.2.1) about the recipient or the mail, not about us. */
const isRefusal = ({ responseCode = 0, command }: SmtpError) =>
  responseCode >= 500 && (command === "RCPT TO" || command === "DATA");
