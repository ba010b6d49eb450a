import { createTransport } from "nodemailer";
import type { MailGateway } from "./mail.ts";

const PATIENCE_MS = 10_000;
const CONNECTIONS = 10;

/**
 * Sends by an SMTP server (RFC 5321), over TLS if the server offers it. A password is only sent
 * over TLS. The URL's query holds further settings of nodemailer, such as `tls.ca`.
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
    // RFC 3834: marks the mail as automatic, so that no auto-replies come back.
    { from, headers: { "Auto-Submitted": "auto-generated" } },
  );
  const host = /@([^\s>]+)/.exec(from)?.[1] ?? "localhost";

  return {
    async send({ id, to, subject, body }) {
      const messageId = `<${id}@${host}>`;
      try {
        await transport.sendMail({ to: { name: "", address: to }, subject, text: body, messageId });
        return "sent";
      } catch (error) {
        if (isRefusal(error as SmtpError)) return "refused";
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

type SmtpError = Error & { responseCode?: number; command?: string };

/** A permanent refusal (RFC 5321 section 4.2.1) of the recipient or the mail, not of us. */
const isRefusal = ({ responseCode = 0, command }: SmtpError) =>
  responseCode >= 500 && (command === "RCPT TO" || command === "DATA");
