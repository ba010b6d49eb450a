import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import stream, { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { type LinkedEvent, PartitionStays } from "../postgres/events/event-partitions.ts";
import { linkHash } from "./event-hash.ts";

/**
 * Writes events with their links to `<name>.ndjson.gz` in this folder, one a line, and answers how
 * many. The file gets its name only when it is complete and on the disk. Written again, it is
 * replaced.
 */
export async function writeArchive(
  folder: string,
  name: string,
  pages: AsyncIterable<LinkedEvent[]>,
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const file = fileOf(folder, name);
  const partial = `${file}.partial`;
  let count = 0;
  const lines = async function* () {
    for await (const page of pages) {
      count += page.length;
      yield page.map((event) => `${JSON.stringify(event)}\n`).join("");
    }
  };
  await pipeline(Readable.from(lines()), createGzip(), createWriteStream(partial, { mode: 0o600 }));
  const handle = await open(partial, "r+");
  await handle.sync().finally(() => handle.close());
  await rename(partial, file);
  return count;
}

/**
 * Reads an archive back and answers how many events it has. Throws `PartitionStays` if an
 * event is not the one that its link was made from, or has no link.
 */
export async function checkArchive(folder: string, name: string): Promise<number> {
  // Unlike pipe(), this hands an error of the file on to the reader of the last stream.
  const content = stream.pipeline(createReadStream(fileOf(folder, name)), createGunzip(), () => {});
  let count = 0;
  for await (const line of createInterface({ input: content })) {
    const { chain, at, ...rest } = JSON.parse(line);
    if (!chain?.previous)
      throw new PartitionStays(`Event ${rest.id} is not in its account's chain`);
    if (linkHash(chain.previous, { ...rest, at: new Date(at) }) !== chain.hash)
      throw new PartitionStays(`Event ${rest.id} is not the event that was chained`);
    count += 1;
  }
  return count;
}

const fileOf = (folder: string, name: string) => join(folder, `${name}.ndjson.gz`);
