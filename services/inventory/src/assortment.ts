/** A product as it is first listed. */
export interface NewProduct {
  readonly productId: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
  /** A single emoji that stands for a picture. */
  readonly image: string;
  readonly stock: number;
}

/** The shop of the demonstration: forty products of five kinds. */
export const assortment: readonly NewProduct[] = [
  product('espresso-machine', '☕', 'Kitchen', 34900, 40, 'Espresso machine', 'Fifteen bar, brass boiler, warm in three minutes.'),
  product('coffee-grinder', '⚙️', 'Kitchen', 11900, 60, 'Coffee grinder', 'Conical steel burrs, forty settings, hardly any noise.'),
  product('green-tea', '🍵', 'Kitchen', 890, 400, 'Sencha green tea', 'First harvest from Kagoshima, 100 g in a tin.'),
  product('honey', '🍯', 'Kitchen', 740, 300, 'Linden honey', 'From two beekeepers by the river, 500 g.'),
  product('sourdough-kit', '🍞', 'Kitchen', 2450, 120, 'Sourdough kit', 'Starter, basket, scraper and a booklet that does not preach.'),
  product('cast-iron-pan', '🍳', 'Kitchen', 5900, 90, 'Cast-iron pan', 'Seasoned three times, 28 cm, for a lifetime.'),
  product('chef-knife', '🔪', 'Kitchen', 8900, 70, 'Chef’s knife', 'Carbon steel, 20 cm, walnut handle.'),
  product('olive-oil', '🫒', 'Kitchen', 1690, 250, 'Olive oil', 'Cold-pressed Koroneiki olives, half a litre.'),
  product('walking-boots', '🥾', 'Outdoors', 18900, 80, 'Walking boots', 'Full-grain leather, resoleable, broken in after a day.'),
  product('tent', '⛺', 'Outdoors', 27900, 35, 'Two-person tent', 'Stands in four minutes, weighs 1.9 kg.'),
  product('backpack', '🎒', 'Outdoors', 12900, 85, 'Trekking backpack', 'Forty-five litres, rain cover, honest pockets.'),
  product('head-torch', '🔦', 'Outdoors', 3950, 150, 'Head torch', '400 lumen, charged by USB-C, red light for stargazers.'),
  product('compass', '🧭', 'Outdoors', 2990, 140, 'Compass', 'Liquid-filled, with a mirror to find yourself.'),
  product('kayak', '🛶', 'Outdoors', 64900, 15, 'Folding kayak', 'Fits in a car boot, floats in twenty minutes.'),
  product('fishing-rod', '🎣', 'Outdoors', 7400, 60, 'Travel fishing rod', 'Four pieces of carbon, 2.4 m.'),
  product('hammock', '🌴', 'Outdoors', 4490, 110, 'Hammock', 'Parachute nylon, with two straps that spare the bark.'),
  product('bicycle', '🚲', 'Sports', 89900, 20, 'City bicycle', 'Eight gears in the hub, belt drive, lights that always work.'),
  product('helmet', '⛑️', 'Sports', 6900, 100, 'Cycling helmet', 'Well ventilated, 280 g, replaced free after a crash.'),
  product('football', '⚽', 'Sports', 2490, 200, 'Football', 'Size 5, hand-stitched, fair wages.'),
  product('tennis-racket', '🎾', 'Sports', 13900, 45, 'Tennis racket', '300 g, strung with gut.'),
  product('yoga-mat', '🧘', 'Sports', 4900, 160, 'Yoga mat', 'Natural rubber, 5 mm, does not slip.'),
  product('climbing-rope', '🧗', 'Sports', 15900, 40, 'Climbing rope', '60 m, 9.5 mm, dry-treated.'),
  product('skateboard', '🛹', 'Sports', 8900, 55, 'Skateboard', 'Seven plies of maple, quiet wheels.'),
  product('dumbbells', '🏋️', 'Sports', 5450, 75, 'Pair of dumbbells', 'Two times 8 kg, cork grips.'),
  product('headphones', '🎧', 'Electronics', 19900, 95, 'Headphones', 'Over the ear, forty hours, a battery you can change.'),
  product('mechanical-keyboard', '⌨️', 'Electronics', 14900, 65, 'Mechanical keyboard', 'Silent switches, hot-swappable, ISO or ANSI.'),
  product('camera', '📷', 'Electronics', 74900, 25, 'Compact camera', 'A 28 mm lens, a large sensor, a real dial.'),
  product('radio', '📻', 'Electronics', 7900, 70, 'Kitchen radio', 'DAB+ and FM, two knobs, no app.'),
  product('desk-lamp', '💡', 'Electronics', 6450, 105, 'Desk lamp', 'Warm to cold, no flicker, clamps to any table.'),
  product('power-bank', '🔋', 'Electronics', 3990, 180, 'Power bank', '20,000 mAh, charges a laptop once.'),
  product('smart-plug', '🔌', 'Electronics', 1990, 220, 'Smart plug', 'Measures what it switches, works without a cloud.'),
  product('telescope', '🔭', 'Electronics', 32900, 18, 'Telescope', '130 mm mirror, shows the rings of Saturn.'),
  product('novel', '📖', 'Books and play', 1490, 350, 'A long novel', 'Eight hundred pages, none too many.'),
  product('cookbook', '📚', 'Books and play', 2990, 190, 'Vegetable cookbook', 'A hundred recipes by season.'),
  product('atlas', '🗺️', 'Books and play', 4990, 80, 'World atlas', 'New maps, old craft, 320 pages.'),
  product('notebook', '📓', 'Books and play', 990, 500, 'Notebook', 'Dotted, 120 g paper, opens flat.'),
  product('chess-set', '♟️', 'Books and play', 5900, 60, 'Chess set', 'Weighted boxwood and a walnut board.'),
  product('puzzle', '🧩', 'Books and play', 2290, 140, 'Jigsaw puzzle', 'Two thousand pieces of one grey sea.'),
  product('guitar', '🎸', 'Books and play', 24900, 30, 'Acoustic guitar', 'Spruce and mahogany, set up by hand.'),
  product('paint-box', '🎨', 'Books and play', 3450, 115, 'Watercolours', 'Twenty-four half pans and a brush.'),
];

function product(
  productId: string,
  image: string,
  category: string,
  priceCents: number,
  stock: number,
  name: string,
  description: string,
): NewProduct {
  return { productId, name, description, category, priceCents, image, stock };
}
