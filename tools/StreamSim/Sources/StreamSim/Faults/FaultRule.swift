/// How often calls of one action, or of all, fail with a fault.
package struct FaultRule: Hashable, Sendable {
    /// The action's name; `nil`: every one.
    package var action: Text?
    package var fault: Fault
    /// Of a hundred calls.
    package var percent: Int
    /// How many more times at most; `nil`: without an end.
    package var count: Int?
    /// Of `Fault.lateEffect`: when.
    package var effect: LateEffect

    package init(
        _ fault: Fault, of action: Text? = nil, percent: Int = 100, count: Int? = nil, effect: LateEffect = .whenTold
    ) {
        self.fault = fault
        self.action = action
        self.percent = percent
        self.count = count
        self.effect = effect
    }

    func concerns(_ action: Text) -> Bool {
        count != 0 && (self.action == nil || self.action == action)
            && (fault.actions?.contains(action) ?? true)
    }
}
