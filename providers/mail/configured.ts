import type { Clock, Config } from "../../config.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { hasOutbox, keepMessage } from "../../store/redis/messages/outbox.ts";
import type { MailGateway } from "./mail.ts";
import { smtpGateway } from "./smtp.ts";

type MailDeps = { config: Config; redis: Redis; clock: Clock };

/** By SMTP where it is set, else to the outbox where one is shown; undefined where mails go nowhere. */
export function mailGateway({ config, redis, clock }: MailDeps): MailGateway | undefined {
  const { SMTP_URL, MAIL_FROM } = config;
  if (SMTP_URL && MAIL_FROM) return smtpGateway(SMTP_URL, MAIL_FROM);
  return hasOutbox(config) ? outboxGateway(redis, clock) : undefined;
}

/** The development gateway: mails are kept to be looked at and reach nobody. */
function outboxGateway(redis: Redis, clock: Clock): MailGateway {
  return {
    async send({ to, subject, body }) {
      await keepMessage(redis, { to, subject, body, at: new Date(clock.now()) });
      return "sent";
    },
    close() {},
  };
}
