import type { Redis } from "../connect.ts";

const OUTBOX = "mfa:outbox";
const KEPT = 500;

/** An SMS, or a mail with its subject. */
export type KeptMessage = { to: string; subject?: string; body: string; at: Date };

/** Whether messages are kept to be looked at: never in production. */
export function hasOutbox(config: { SMS_GATEWAY: readonly string[]; NODE_ENV: string }): boolean {
  return config.SMS_GATEWAY.includes("outbox") && config.NODE_ENV !== "production";
}

/** Keeps a message of the development outbox; the oldest beyond 500 are forgotten. */
export async function keepMessage(redis: Redis, message: KeptMessage): Promise<void> {
  await redis
    .multi()
    .lPush(OUTBOX, JSON.stringify(message))
    .lTrim(OUTBOX, 0, KEPT - 1)
    .exec();
}

/** The kept messages, newest first; of one recipient where one is named. */
export async function keptMessages(redis: Redis, to?: string): Promise<KeptMessage[]> {
  const kept = await redis.lRange(OUTBOX, 0, -1);
  const messages = kept.map((text) => {
    const message = JSON.parse(text);
    return { ...message, at: new Date(message.at) } as KeptMessage;
  });
  return to === undefined ? messages : messages.filter((message) => message.to === to);
}
