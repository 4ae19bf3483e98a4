import { busy, home, lab, loaded, measured, of, price, stickyTo, testOrders, tokens } from "./order_cases.ts";

testOrders("suffix", [
  {
    name: ":floor sorts by price",
    fleet: [of("home", price(2)), of("lab", price(1))],
    request: { model: "m:floor" },
    expect: "d 2 1",
  },
  {
    name: ":nitro sorts by throughput",
    fleet: [home, lab],
    request: { model: "m:nitro" },
    known: measured({ home: tokens(1), lab: tokens(2) }),
    expect: "d 2 1",
  },
  {
    name: ":exacto sorts by nothing",
    fleet: [of("home", price(2)), of("lab", { ...loaded, ...price(1) })],
    request: { model: "m:exacto" },
    expect: "d 1 2",
  },
  {
    name: "an explicit sort wins",
    fleet: [of("home", price(2)), of("lab", price(1))],
    request: { model: "m:nitro", preferences: { sort: "price" } },
    known: measured({ home: tokens(9) }),
    expect: "d 2 1",
  },
  {
    name: "an explicit exacto wins",
    fleet: [of("home", price(2)), of("lab", price(1))],
    request: { model: "m:floor", preferences: { sort: "exacto" } },
    expect: "d 1 2",
  },
  {
    name: "a model of the full name is that model",
    fleet: [home, of("lab", { models: ["m:floor"] })],
    request: { model: "m:floor" },
    expect: "d 2:m:floor",
  },
  {
    name: "only the last suffix is cut",
    fleet: [home, of("lab", { models: ["m:nitro"] })],
    request: { model: "m:nitro:floor" },
    expect: "d 2:m:nitro",
  },
  {
    name: "another suffix is part of the name",
    fleet: [home, of("lab", { models: ["m:free"] })],
    request: { model: "m:free" },
    expect: "d 2:m:free",
  },
  {
    name: "a member of every object is no suffix",
    fleet: [home, of("lab", { models: ["m:constructor"] })],
    request: { model: "m:constructor" },
    expect: "d 2:m:constructor",
  },
  {
    name: "sorting by suffix turns stickiness off",
    fleet: [of("home", price(2)), of("lab", price(1))],
    request: { model: "m:floor", session: "s" },
    known: stickyTo("worker-1"),
    expect: "d 2 1",
  },
  {
    name: ":exacto leaves stickiness on",
    fleet: [home, lab],
    request: { model: "m:exacto", session: "s" },
    known: stickyTo("worker-2"),
    expect: "d 2 1",
  },
]);

testOrders("models", [
  {
    name: "the first model first, then the next",
    fleet: [of("home", { models: ["n"] }), of("lab", loaded), of("cloud", { models: ["m", "n"] })],
    request: { models: ["n"] },
    expect: "d 3 2 1:n 3:n",
  },
  {
    name: "a worker that is free for the next goes before one that is busy for the first",
    fleet: [of("home", busy), of("lab", { models: ["n"] })],
    request: { models: ["n"] },
    expect: "d 2:n 1",
  },
  {
    name: "a star goes before the next model",
    fleet: [of("home", { models: ["n"] }), of("lab", { models: ["*"] })],
    request: { models: ["n"] },
    expect: "d 2 1:n 2:n",
  },
  {
    name: "a model that nobody serves is skipped",
    fleet: [of("home", { models: ["n"] })],
    request: { models: ["o", "n"] },
    expect: "d 1:n",
  },
  {
    name: "a model that comes twice is tried once",
    fleet: [home],
    request: { models: ["m", "m:floor", "m"] },
    expect: "d 1",
  },
  {
    name: "each is sorted by itself",
    fleet: [of("home", { models: ["m", "n"], ...price(2) }), of("lab", { models: ["m", "n"], ...price(1) })],
    request: { models: ["n"] },
    preferences: { sort: "price" },
    expect: "d 2 1 2:n 1:n",
  },
  {
    name: "each is sorted by its own suffix",
    fleet: [
      of("home", { models: ["m", "n"], ...price(2) }),
      of("lab", { models: ["m", "n"], ...price(1), ...loaded }),
    ],
    request: { models: ["n:floor"] },
    expect: "d 1 2 2:n 1:n",
  },
  {
    name: "partition model is the same",
    fleet: [of("home", { models: ["n"], ...price(1) }), of("lab", price(2))],
    request: { models: ["n"] },
    preferences: { sort: "price", partition: "model" },
    expect: "d 2 1:n",
  },
  {
    name: "partition none ranks all together",
    fleet: [of("home", { models: ["n"], ...price(1) }), of("lab", price(2))],
    request: { models: ["n"] },
    preferences: { sort: "price", partition: "none" },
    expect: "d 1:n 2",
  },
  {
    name: "partition none by each one's own numbers",
    fleet: [
      of("home", {
        models: ["m", "n"],
        labels: { price: { prompt: 2 }, models: { n: { price: { prompt: 1 } } } },
      }),
    ],
    request: { models: ["n"] },
    preferences: { sort: "price", partition: "none" },
    expect: "d 1:n 1",
  },
  {
    name: "partition none with order",
    fleet: [of("home", { models: ["n"] }), lab],
    request: { models: ["n"] },
    preferences: { order: ["home"], partition: "none" },
    expect: "d 1:n 2",
  },
  {
    name: "partition none alone goes by load",
    fleet: [of("home", loaded), of("lab", { models: ["n"] })],
    request: { models: ["n"] },
    preferences: { partition: "none" },
    expect: "d 2:n 1",
  },
  {
    name: "one ranking goes by one suffix, that of the first",
    fleet: [
      of("home", { ...loaded, ...price(1) }),
      of("lab", { models: ["n"], ...price(2) }),
      of("cloud", { models: ["n"], ...price(0), ...loaded }),
    ],
    request: { model: "m:floor", models: ["n:nitro"] },
    preferences: { partition: "none" },
    known: { measured: [["lab", "n", tokens(9)]] },
    expect: "d 3:n 1 2:n",
  },
  {
    name: "one ranking has no suffix when the first has none",
    fleet: [of("home", price(9)), of("lab", { models: ["n"], ...loaded, ...price(1) })],
    request: { models: ["n:floor"] },
    preferences: { partition: "none" },
    expect: "d 1 2:n",
  },
  {
    name: "without a model in front those of the list are others",
    fleet: [home, of("lab", { models: ["n"] })],
    request: { model: "n", models: ["m"] },
    expect: "d 2:n 1",
  },
]);
