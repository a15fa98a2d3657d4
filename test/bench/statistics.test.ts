import { expect, test } from 'vitest'
import { ratioOf, resolutionOf, spreadOf, welchT } from '../../bench/statistics.ts'

test('a median is the value in the middle, whatever the order', () => {
  expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 })
})

test('a median of an even number of values lies between the two in the middle', () => {
  expect(spreadOf([40, 10, 20, 30])).toEqual({ median: 25, min: 10, max: 40 })
})

test('values are compared as numbers', () => {
  expect(spreadOf([10, 9, 100]).median).toBe(10)
})

test('there is no median of nothing', () => {
  expect(() => spreadOf([])).toThrow(RangeError)
})

test('a ratio is taken round by round, so that what slowed a whole round down drops out', () => {
  expect(ratioOf([20, 60, 20], [10, 30, 10])).toEqual({ median: 2, min: 2, max: 2 })
})

test('two equals tell how far a median and a round can be off, whichever way', () => {
  const equals = [100, 100, 100]
  expect(resolutionOf(ratioOf([100, 97, 101], equals)).round).toBeCloseTo(0.03)
  expect(resolutionOf(ratioOf([100, 99, 104], equals)).round).toBeCloseTo(0.04)
  expect(resolutionOf(ratioOf([98, 90, 104], equals)).median).toBeCloseTo(0.02)
})

test("Welch's t is the distance of the means by what chance makes of samples of their sizes", () => {
  // Means 3 and 4, variances 2.5 and 4.
  const [a, b] = [
    [1, 2, 3, 4, 5],
    [2, 4, 6],
  ]
  expect(welchT(a, b)).toBeCloseTo(-1 / Math.sqrt(2.5 / 5 + 4 / 3), 12)
  expect(welchT(b, a)).toBe(-welchT(a, b))
  expect(welchT(a, a)).toBe(0)
})

test('there is no variance of a single value', () => {
  expect(() => welchT([1], [1, 2])).toThrow(RangeError)
})
