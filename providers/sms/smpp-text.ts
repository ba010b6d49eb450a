import smpp from "smpp";

/** SMPP 3.4, 5.2.19: the SMSC's default alphabet, which is GSM's, and UCS-2. */
const GSM = 0;
const UCS2 = 8;

/** GSM 03.40: a message holds 140 octets, or 160 characters of seven bits. */
const WHOLE = { [GSM]: 160, [UCS2]: 140 };
/** The same for a part, without its header. */
const PART = { [GSM]: 153, [UCS2]: 134 };
const ESCAPE = 0x1b;

export type SmppText = { coding: number; concatenated: boolean; parts: Buffer[] };

/**
 * A text as the octets of its messages: in GSM's alphabet if it has every character, else in UCS-2.
 * Each part of a long text starts with a header (GSM 03.40, 9.2.3.24.1) that contains `number`.
 */
export function smppText(text: string, number: number): SmppText {
  const coding = smpp.encodings.ASCII.match(text) ? GSM : UCS2;
  const octets = smpp.encodings[coding === GSM ? "ASCII" : "UCS2"].encode(text);
  if (octets.length <= WHOLE[coding]) return { coding, concatenated: false, parts: [octets] };
  const pieces: Buffer[] = [];
  for (let from = 0; from < octets.length; from += pieces.at(-1)?.length as number)
    pieces.push(octets.subarray(from, endOf(octets, from, coding)));
  const parts = pieces.map((piece, index) =>
    Buffer.concat([Buffer.from([5, 0, 3, number & 0xff, pieces.length, index + 1]), piece]),
  );
  return { coding, concatenated: true, parts };
}

/** The end of the part that starts at `from`. It never splits a character. */
function endOf(octets: Buffer, from: number, coding: typeof GSM | typeof UCS2): number {
  const end = from + PART[coding];
  if (end >= octets.length) return octets.length;
  if (coding === GSM) return octets[end - 1] === ESCAPE ? end - 1 : end;
  const lead = (octets[end - 2] as number) >> 2 === 0xd8 >> 2;
  return lead ? end - 2 : end;
}
