import type { Clock, Config } from "../../config.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { hasOutbox, keepMessage } from "../../store/redis/messages/outbox.ts";
import type { MailGateway } from "./mail.ts";
import { smtpGateway } from "./smtp.ts";

type MailDeps = { config: Config; redis: Redis; clock: Clock };

/**
 * Sends by SMTP if it is configured, else to the outbox if there is one; undefined if mails cannot
 * be sent.
 */
export function mailGateway({ config, redis, clock }: MailDeps): MailGateway | undefined {
  const { SMTP_URL, MAIL_FROM } = config;
  if (SMTP_URL && MAIL_FROM) return smtpGateway(SMTP_URL, MAIL_FROM);
  return hasOutbox(config) ? outboxGateway(redis, clock) : undefined;
}

/** For development: mails are kept for viewing and are sent to nobody. */
function outboxGateway(redis: Redis, clock: Clock): MailGateway {
  return {
    async send({ to, subject, body }) {
      await keepMessage(redis, { to, subject, body, at: new Date(clock.now()) });
      return "sent";
    },
    close() {},
  };
}
