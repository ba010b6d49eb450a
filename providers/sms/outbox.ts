import type { Clock } from "../../config.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { keepMessage } from "../../store/redis/messages/outbox.ts";
import type { SmsGateway } from "./sms.ts";

/** For development: messages are kept for viewing and reach no phone. */
export function outboxGateway(redis: Redis, clock: Clock): SmsGateway {
  return {
    async send({ to, body }) {
      await keepMessage(redis, { to, body, at: new Date(clock.now()) });
      return { provider: "outbox" };
    },
  };
}
