import { type CommandParser, defineScript } from "redis";

/**
 * A Lua script called as `redis.<name>(keys, arguments)`: one atomic step. All of its keys carry
 * the same hash tag, so that it runs on a Redis Cluster too.
 */
export function script<Reply>(lua: string) {
  return defineScript({
    SCRIPT: lua,
    parseCommand(
      parser: CommandParser,
      keys: readonly string[],
      args: readonly (string | number)[],
    ) {
      parser.push(String(keys.length));
      parser.pushKeys([...keys]);
      parser.push(...args.map(String));
    },
    transformReply: (reply: unknown) => reply as Reply,
  });
}

/**
 * A part of a script that has just added a record to the sorted set `index`: of more than `most` it
 * drops those of the lowest score, but not the new one. `key` and `id` name its variables for the new
 * record; the others' keys differ in the id alone, and so lie in the same slot.
 */
export const dropExcess = (key: string, id: string, most: string) => `
    for _, old in ipairs(redis.call('ZRANGE', index, 0, -1 - tonumber(${most}))) do
      if old ~= ${id} then
        redis.call('ZREM', index, old)
        redis.call('DEL', string.sub(${key}, 1, -1 - #${id}) .. old)
      end
    end`;
