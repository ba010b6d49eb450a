import { randomBytes } from "node:crypto";
import { lookup } from "node:dns";
import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { Webhook } from "standardwebhooks";
import {
  BLOCKED,
  bareHost,
  blocked,
  isPublicAddress,
  lookupPublic,
  type Resolve,
} from "./public-addresses.ts";

export type WebhookMessage = {
  url: string;
  /** `whsec_...` */
  secret: string;
  /** Stays the same however often the event is sent. */
  id: string;
  at: Date;
  body: string;
};

/** Sends a message once; resolves with the HTTP status or a word for what went wrong, never throws. */
export type WebhookSender = { send(message: WebhookMessage): Promise<string> };

/** More of an answer than this is not waited for. */
const ANSWER_BYTES = 64 * 1024;

/** A new secret to sign with: 24 random bytes, as Standard Webhooks writes them. */
export const newWebhookSecret = () => `whsec_${randomBytes(24).toString("base64")}`;

/**
 * Sends messages as Standard Webhooks says, to public addresses alone unless `inside`. Redirects are
 * an answer like any other: nobody follows them. Of the answer only the status counts.
 */
export function webhookSender({
  inside,
  timeoutMs,
  resolve = lookup,
}: {
  inside: boolean;
  timeoutMs: number;
  resolve?: Resolve;
}): WebhookSender {
  return {
    async send({ url, secret, id, at, body }) {
      try {
        const options = {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "user-agent": "second-step-webhooks",
            "webhook-id": id,
            "webhook-timestamp": Math.floor(at.getTime() / 1000),
            "webhook-signature": new Webhook(secret).sign(id, at, body),
          },
          // A connection of its own: one that is kept would not be looked at again.
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
          ...(!inside && { lookup: lookupPublic(resolve) }),
        } as const;
        const target = new URL(url);
        // Addresses are not looked up, so they are checked here.
        const host = bareHost(target);
        if (!inside && isIP(host) && !isPublicAddress(host)) throw blocked();
        return String(await statusOf(target, options, body));
      } catch (error) {
        return wordFor(error);
      }
    },
  };
}

function statusOf(target: URL, options: RequestOptions, body: string): Promise<number> {
  const request = target.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(target, options, (answer) => {
      resolve(answer.statusCode ?? 0);
      ignore(answer);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Lets a receiver finish its answer, within reason. */
function ignore(answer: IncomingMessage) {
  let bytes = 0;
  answer.on("error", () => {});
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) answer.destroy();
  });
}

const WORDS: Record<string, string> = {
  ABORT_ERR: "timeout",
  ETIMEDOUT: "timeout",
  [BLOCKED]: "blocked_address",
  EAI_AGAIN: "unknown_host",
  ENOTFOUND: "unknown_host",
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EPIPE: "unreachable",
};

/** A stable word: an error's own might quote the address. */
function wordFor(error: unknown): string {
  const { code = "" } = error as { code?: string };
  if (/CERT|SIGNATURE|SSL|TLS|EPROTO|ISSUER/.test(code)) return "untrusted_certificate";
  return WORDS[code] ?? "request_failed";
}
