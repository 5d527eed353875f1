constexpr float offset = 1.0f;
