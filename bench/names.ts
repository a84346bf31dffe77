import { peerName } from "./contenders/peer.ts";

/** The names of the contenders in every table. */
export const names = {
  bare: "in-process, no saver",
  stock: "in-process, PostgresSaver",
  saver: "in-process, our saver",
  peer: peerName,
  one: "ours, one process",
  split: "ours, API + 2 workers",
};
