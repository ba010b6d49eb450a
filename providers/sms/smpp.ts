import { setTimeout as sleep } from "node:timers/promises";
import type { PDU } from "smpp";
import type { Config } from "../../config.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { findSmppMessage, rememberSmppMessage } from "../../store/redis/messages/smpp-messages.ts";
import { type SmppTiming, smppLink, statusName } from "./smpp-link.ts";
import { readReceipt, type SmppReceipt } from "./smpp-receipt.ts";
import { smppText } from "./smpp-text.ts";
import {
  type DeliveryReport,
  type Log,
  ProviderError,
  type SmsGateway,
  UndeliverableError,
} from "./sms.ts";

type SmppDeps = {
  url: string;
  /** A number (`+1...`), a short code, or a name. */
  from: string;
  limits: Config["limits"];
  redis: Redis;
  log: Log;
  onReport(report: DeliveryReport): Promise<unknown>;
};

/**
 * The status that refuses the number. Others refuse the message or the sender, or are temporary.
 */
const UNREACHABLE = "ESME_RINVDSTADR";

/** Types of number and numbering plans (SMPP 3.4, 5.2.5 and 5.2.6). */
const INTERNATIONAL = { ton: 1, npi: 1 };
const NETWORK_SPECIFIC = { ton: 3, npi: 0 };
const ALPHANUMERIC = { ton: 5, npi: 0 };

/** esm_class: the text starts with a header. */
const WITH_HEADER = 0x40;
/** registered_delivery: requests a receipt for success or failure. */
const RECEIPT = 1;

/** Waits before each look-up: a receipt can arrive before the answer with the message's ID. */
const LOOKS_MS = [0, 250, 1_000, 3_000];

/**
 * Sends over SMPP 3.4 and passes on the SMSC's reports, including those on messages of other
 * workers. For a long text only the last part requests a receipt. `close` unbinds.
 */
export function smppGateway(
  { url, from, limits, redis, log, onReport }: SmppDeps,
  timing?: SmppTiming,
): SmsGateway & { close(): Promise<void> } {
  const passing = new Set<Promise<void>>();
  const link = smppLink({ url, log, onDeliver }, timing);
  const sender = senderOf(from);
  const validity = validityOf(limits.passcode.lifetimeMs);
  let number = 0;

  function onDeliver(pdu: PDU) {
    const receipt = readReceipt(pdu);
    if (!receipt) return;
    const passed = pass(receipt).catch(() => {
      log.warn({ provider: "smpp" }, "could not report a delivery receipt to its flow");
    });
    passing.add(passed);
    passed.finally(() => passing.delete(passed));
  }

  async function pass({ messageId, ...report }: SmppReceipt) {
    for (const waitMs of LOOKS_MS) {
      await sleep(waitMs);
      const reference = await findSmppMessage(redis, messageId);
      if (reference) return void (await onReport({ reference, ...report }));
    }
  }

  async function remember(messageId: string, reference: string) {
    try {
      await rememberSmppMessage(redis, messageId, reference);
    } catch {
      // The message is sent. Losing its report is better than sending it again.
      log.warn({ provider: "smpp" }, "could not store a message ID; its receipt will be ignored");
    }
  }

  return {
    async send({ to, body, reference }) {
      number += 1;
      const { coding, concatenated, parts } = smppText(body, number);
      for (const [index, part] of parts.entries()) {
        const last = index === parts.length - 1;
        const answer = await link.request("submit_sm", {
          ...sender,
          dest_addr_ton: INTERNATIONAL.ton,
          dest_addr_npi: INTERNATIONAL.npi,
          destination_addr: to.replace("+", ""),
          esm_class: concatenated ? WITH_HEADER : 0,
          validity_period: validity,
          registered_delivery: last ? RECEIPT : 0,
          data_coding: coding,
          short_message: part,
        });
        refuse(answer);
        if (last && answer.message_id) await remember(answer.message_id, reference);
      }
      return { provider: "smpp" };
    },
    async close() {
      await link.close();
      await Promise.all(passing);
    },
  };
}

function refuse(answer: PDU) {
  if (answer.command_status === 0) return;
  const status = statusName(answer);
  if (status === UNREACHABLE) throw new UndeliverableError("unreachable_number");
  throw new ProviderError("smpp", status);
}

function senderOf(from: string) {
  const { ton, npi } = /^\+\d+$/.test(from)
    ? INTERNATIONAL
    : /^\d+$/.test(from)
      ? NETWORK_SPECIFIC
      : ALPHANUMERIC;
  return { source_addr_ton: ton, source_addr_npi: npi, source_addr: from.replace("+", "") };
}

/**
 * A relative time (SMPP 3.4, 7.1.1), because a message after the code has expired would confuse
 * people.
 */
function validityOf(lifetimeMs: number): string {
  const minutes = String(Math.ceil(lifetimeMs / 60_000)).padStart(2, "0");
  return `00000000${minutes}00000R`;
}
