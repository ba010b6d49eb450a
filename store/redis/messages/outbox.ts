import type { Redis } from "../connect.ts";

const OUTBOX = "mfa:outbox";
const KEPT = 500;

/** An SMS, or a mail with its subject. */
export type KeptMessage = { to: string; subject?: string; body: string; at: Date };

/** Whether messages are kept for viewing; never in production. */
export function hasOutbox(config: { SMS_GATEWAY: readonly string[]; NODE_ENV: string }): boolean {
  return config.SMS_GATEWAY.includes("outbox") && config.NODE_ENV !== "production";
}

/** Adds a message to the development outbox, which keeps the newest 500. */
export async function keepMessage(redis: Redis, message: KeptMessage): Promise<void> {
  await redis
    .multi()
    .lPush(OUTBOX, JSON.stringify(message))
    .lTrim(OUTBOX, 0, KEPT - 1)
    .exec();
}

/** The kept messages, newest first; only one recipient's if `to` is given. */
export async function keptMessages(redis: Redis, to?: string): Promise<KeptMessage[]> {
  const kept = await redis.lRange(OUTBOX, 0, -1);
  const messages = kept.map((text) => {
    const message = JSON.parse(text);
    return { ...message, at: new Date(message.at) } as KeptMessage;
  });
  return to === undefined ? messages : messages.filter((message) => message.to === to);
}
